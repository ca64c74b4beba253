package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"freshet/streams"
)

// Commit makes outputs and offsets count. In a transaction it is all or nothing; ok is false when it was aborted because the
// group changed. An error leaves open whether it counted: the client must be closed and opened again, which ends the
// transaction one way and reads the committed offsets.
func (c *Client) Commit(ctx context.Context, offsets map[streams.Partition]streams.Committed) (ok bool, err error) {
	if c.sess == nil {
		return c.commitPlain(ctx, offsets)
	}
	if err := c.cl.Flush(ctx); err != nil {
		return false, fmt.Errorf("flushing outputs: %w", err)
	}
	if err := c.failure(); err != nil {
		return false, err
	}
	// The session would commit everything that was polled; what counts is what was folded, with the sequence beside it.
	cctx := kgo.PreTxnCommitFnContext(ctx, func(req *kmsg.TxnOffsetCommitRequest) error {
		ids := map[string][16]byte{}
		for _, t := range req.Topics {
			ids[t.Topic] = t.TopicID
		}
		req.Topics = req.Topics[:0]
		at := map[string]int{}
		for p, o := range offsets {
			i, ok := at[p.Topic]
			if !ok {
				i = len(req.Topics)
				at[p.Topic] = i
				t := kmsg.NewTxnOffsetCommitRequestTopic()
				t.Topic, t.TopicID = p.Topic, ids[p.Topic]
				req.Topics = append(req.Topics, t)
			}
			rp := kmsg.NewTxnOffsetCommitRequestTopicPartition()
			rp.Partition, rp.Offset, rp.LeaderEpoch = p.Num, o.Offset, -1
			rp.Metadata = kmsg.StringPtr(formatMeta(o.Seq))
			req.Topics[i].Partitions = append(req.Topics[i].Partitions, rp)
		}
		return nil
	})
	ok, err = c.sess.End(cctx, kgo.TryCommit)
	if err != nil {
		return false, fmt.Errorf("ending the transaction: %w", err)
	}
	if err := c.sess.Begin(); err != nil {
		return ok, fmt.Errorf("beginning a transaction: %w", err)
	}
	if !ok {
		c.reconcile()
	}
	return ok, nil
}

func (c *Client) commitPlain(ctx context.Context, offsets map[streams.Partition]streams.Committed) (bool, error) {
	if err := c.cl.Flush(ctx); err != nil {
		return false, fmt.Errorf("flushing outputs: %w", err)
	}
	if err := c.failure(); err != nil {
		return false, err
	}
	if len(offsets) == 0 {
		return true, nil
	}
	set := map[string]map[int32]kgo.EpochOffset{}
	for p, o := range offsets {
		if set[p.Topic] == nil {
			set[p.Topic] = map[int32]kgo.EpochOffset{}
		}
		set[p.Topic][p.Num] = kgo.EpochOffset{Epoch: -1, Offset: o.Offset}
	}
	ctx = kgo.PreCommitFnContext(ctx, func(req *kmsg.OffsetCommitRequest) error {
		for i := range req.Topics {
			for j := range req.Topics[i].Partitions {
				p := &req.Topics[i].Partitions[j]
				p.Metadata = kmsg.StringPtr(formatMeta(offsets[streams.Partition{Topic: req.Topics[i].Topic, Num: p.Partition}].Seq))
			}
		}
		return nil
	})
	var failed error
	c.cl.CommitOffsetsSync(ctx, set, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
		failed = err
		if err != nil {
			return
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				if e := kerr.ErrorForCode(p.ErrorCode); e != nil {
					failed = errors.Join(failed, fmt.Errorf("offset of %s/%d: %w", t.Topic, p.Partition, e))
				}
			}
		}
	})
	switch {
	case failed == nil:
		return true, nil
	case errors.Is(failed, kerr.IllegalGeneration), errors.Is(failed, kerr.RebalanceInProgress), errors.Is(failed, kerr.UnknownMemberID), errors.Is(failed, kerr.StaleMemberEpoch):
		return false, nil // the group changed: outputs may be written again, with the same bytes
	}
	return false, fmt.Errorf("committing offsets: %w", failed)
}
