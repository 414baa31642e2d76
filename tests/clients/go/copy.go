// Copies one topic to another on franz-go, record for record, exactly once: what it read and how far
// it has read are one transaction. It is ended by kill -9, or it begins anew after an error.
//
//	steady copy SERVERS FROM TO TRANSACTIONAL_ID
//
// It prints `copied,count` for each transaction, and `again,` with the error. The transactional id is
// the group's id, too.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func copyForEver(options []kgo.Opt, from, to, identity string) {
	for {
		session, err := kgo.NewGroupTransactSession(append(options,
			kgo.TransactionalID(identity),
			kgo.ConsumerGroup(identity),
			kgo.ConsumeTopics(from),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
			kgo.FetchIsolationLevel(kgo.ReadCommitted()),
			kgo.RequireStableFetchOffsets(),
			kgo.SessionTimeout(6*time.Second),
			kgo.RecordPartitioner(kgo.ManualPartitioner()),
		)...)
		if err == nil {
			err = copyUntilError(session, to)
			session.Close()
		}
		fmt.Println("again,", err)
	}
}

func copyUntilError(session *kgo.GroupTransactSession, to string) error {
	for {
		ctx, done := context.WithTimeout(context.Background(), time.Second)
		fetches := session.PollFetches(ctx)
		done()
		if fetches.NumRecords() == 0 {
			continue
		}
		if err := session.Begin(); err != nil {
			return err
		}
		promise := kgo.AbortingFirstErrPromise(session.Client())
		fetches.EachRecord(func(got *kgo.Record) {
			copied := &kgo.Record{Topic: to, Partition: got.Partition, Key: got.Key, Value: got.Value}
			session.Produce(context.Background(), copied, promise.Promise())
		})
		failed := promise.Err() != nil
		committed, err := session.End(context.Background(), kgo.TransactionEndTry(!failed))
		if err != nil {
			return err
		}
		if committed {
			fmt.Printf("copied,%d\n", fetches.NumRecords())
		}
	}
}
