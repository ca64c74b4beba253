package agg

import "math"

// earthKm is the mean radius of the Earth (IUGG), in km.
const earthKm = 6371.0088

// speed is speed(lat, lon): km/h along the great circle between the positions of an event and the one before it.
// Latitudes in [−90, 90] and longitudes in [−180, 180] degrees; a null or a position outside of that is no position: the value is
// then null and the position before stays. Null at the first position.
//
// Time differences below one second count as one second: two swipes of one second 100 km apart are 360,000 km/h, and no value
// exceeds 72,060,000 (half the circumference in a second). The same place is 0 at any time difference.
//
// An event older than the newest: the speed between its position and the newest one, since a speed is the same both ways; the
// newest stays. As of now: the speed at the newest event.
//
// Cell: [set, time, lat, lon, speed].
type speed struct{}

func (speed) Words() int  { return 5 }
func (speed) Init(c Cell) { c[0], c[1], c[2], c[3], c[4] = 0, 0, 0, 0, nullBits }

func (speed) Step(c Cell, timeMs int64, in []uint64) float64 {
	lat, lon := f64(in[0]), f64(in[1])
	if !(lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180) {
		return Null()
	}
	v := Null()
	if c[0] != 0 {
		ms := math.Abs(float64(timeMs) - float64(int64(c[1])))
		if v = 0; in[0] != c[2] || in[1] != c[3] {
			v = Haversine(f64(c[2]), f64(c[3]), lat, lon) / (max(ms, 1000) / 3_600_000)
		}
	}
	if c[0] == 0 || timeMs >= int64(c[1]) {
		c[0], c[1], c[2], c[3], c[4] = 1, uint64(timeMs), in[0], in[1], bits(v)
	}
	return v
}

func (speed) ReadAt(c Cell, nowMs int64) float64 {
	if c[0] == 0 || nowMs < int64(c[1]) {
		return Null()
	}
	return f64(c[4])
}

// Haversine is the great-circle distance in km between two positions in degrees, on a sphere (R. W. Sinnott, "Virtues of the
// Haversine", 1984): at most 0.56 % off the ellipsoid. The same bits on any machine.
func Haversine(lat1, lon1, lat2, lon2 float64) float64 {
	const rad = math.Pi / 180
	dLat := math.Abs(lat2 - lat1)
	dLon := math.Abs(lon2 - lon1)
	if dLon > 180 {
		dLon = 360 - dLon
	}
	a := sinQuadrant(dLat * rad / 2)
	b := sinQuadrant(dLon * rad / 2)
	h := float64(a*a) + float64(float64(float64(cosQuadrant(math.Abs(lat1)*rad)*cosQuadrant(math.Abs(lat2)*rad))*b)*b)
	return float64(2 * earthKm * asinUnit(math.Sqrt(min(h, 1))))
}
