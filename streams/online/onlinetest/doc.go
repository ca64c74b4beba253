// Package onlinetest holds what every online store must pass ([Run]), and real Redis servers for tests ([StartRedis], [StartCluster]).
// It is imported by tests only.
package onlinetest
