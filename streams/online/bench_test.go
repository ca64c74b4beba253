package online_test

import (
	"context"
	"fmt"
	"testing"

	"freshet/streams/online"
	"freshet/streams/online/onlinetest"
)

func upserts(n int) []online.Upsert {
	us := make([]online.Upsert, n)
	for i := range us {
		us[i] = online.Upsert{Entity: "card", Key: fmt.Appendf(nil, "4929-%08d", i), Value: make([]byte, 200), TTL: 1e9 * 86400}
	}
	return us
}

func benchStore(b *testing.B, st online.Store) {
	ctx, us := context.Background(), upserts(500)
	keys := make([][]byte, 100)
	for i := range keys {
		keys[i] = us[i].Key
	}
	b.Run("upsert-500", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			for j := range us {
				us[j].Order = online.Order{Offset: int64(i)}.Bytes()
			}
			if _, err := st.Upsert(ctx, us); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N*len(us))/b.Elapsed().Seconds(), "upserts/s")
	})
	b.Run("get", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if _, _, err := st.Get(ctx, "card", us[3].Key); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("mget-100", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if _, err := st.MGet(ctx, "card", keys); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkEmbedded(b *testing.B) { benchStore(b, opener("embedded", online.Options{})(b, "p")) }

func BenchmarkRedis(b *testing.B) {
	r := onlinetest.StartRedis(b)
	benchStore(b, opener("redis", online.Options{Addresses: []string{r.Addr}})(b, "p"))
}

func BenchmarkRedisHash(b *testing.B) {
	r := onlinetest.StartRedis(b)
	benchStore(b, opener("redis", online.Options{Addresses: []string{r.Addr}, Format: online.Hash})(b, "p"))
}

func BenchmarkWriterPut(b *testing.B) {
	ctx, us := context.Background(), upserts(500)
	w := online.NewWriter(opener("embedded", online.Options{})(b, "p"), online.WriterOptions{})
	b.ReportAllocs()
	for i := range b.N {
		for j := range us {
			us[j].Order = online.Order{Offset: int64(i)}.Bytes()
		}
		if _, err := w.Put(ctx, us); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(us))/b.Elapsed().Seconds(), "puts/s")
	w.Close(ctx)
}
