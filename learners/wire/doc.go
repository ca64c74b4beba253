// Package wire is the byte form shared by models, detectors, metrics and snapshots: a short header that says what the
// bytes are, little-endian fields, and a checksum at the end.
//
//	"fsh" 0x01 | kind (uvarint length, text) | version of the kind (1 byte) | fields … | CRC-32C of all before (4 bytes)
//
// A Reader never panics and never allocates more than the bytes at hand could fill; its first error sticks, so a
// decoder reads all its fields and asks once. Imports nothing of ours.
//
// Start with Open and Seal.
package wire
