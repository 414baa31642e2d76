// A producer and a committing consumer of default settings on franz-go, until SIGTERM; a new group
// starts at the end, as with other clients.
//
//	steady produce SERVERS TOPIC PARTITIONS PAUSE_MICROS [debug]
//	steady consume SERVERS TOPIC GROUP [debug]
//	steady copy SERVERS FROM TO TRANSACTIONAL_ID
//	steady secured CASES
//
// They print `ack,` and `got,partition,offset,number,milliseconds` for each record, and a line that
// begins with `failed,` or `exception` for what went wrong.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	if os.Args[1] == "secured" {
		secured(os.Args[2])
		return
	}
	role, servers, topic := os.Args[1], strings.Split(os.Args[2], ","), os.Args[3]
	ending, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	options := []kgo.Opt{kgo.SeedBrokers(servers...)}
	if role == "copy" {
		copyForEver(options, topic, os.Args[4], os.Args[5])
	}
	words := map[string]int{"produce": 6, "consume": 5}[role]
	if len(os.Args) > words && os.Args[words] != "" {
		now := func() string { return time.Now().Format("15:04:05.000 ") }
		options = append(options, kgo.WithLogger(kgo.BasicLogger(os.Stderr, kgo.LogLevelDebug, now)))
	}
	if role == "produce" {
		produce(ending, options, topic, number(os.Args[4]), number(os.Args[5]))
	} else {
		consume(ending, options, topic, os.Args[4])
	}
}

func produce(ending context.Context, options []kgo.Opt, topic string, partitions, pauseMicros int) {
	client := started(append(options, kgo.RecordPartitioner(kgo.ManualPartitioner())))
	ticks := time.NewTicker(time.Duration(pauseMicros) * time.Microsecond)
	for own := 0; ending.Err() == nil; own++ {
		value := []byte(strconv.Itoa(own))
		record := &kgo.Record{Topic: topic, Partition: int32(own % partitions), Value: value}
		client.Produce(context.Background(), record, func(sent *kgo.Record, err error) {
			now := time.Now().UnixMilli()
			if err != nil {
				fmt.Printf("failed,%d,%d: %v\n", own, now, err)
				return
			}
			fmt.Printf("ack,%d,%d,%d,%d\n", sent.Partition, sent.Offset, own, now)
		})
		<-ticks.C
	}
	if err := client.Flush(context.Background()); err != nil {
		fmt.Println("exception", err)
	}
	client.Close()
}

func consume(ending context.Context, options []kgo.Opt, topic, group string) {
	atEnd := kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd())
	client := started(append(options, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), atEnd))
	committed := time.Now()
	for {
		fetches := client.PollFetches(ending)
		if ending.Err() != nil {
			break
		}
		fetches.EachError(func(topic string, partition int32, err error) {
			fmt.Printf("exception %s-%d: %v\n", topic, partition, err)
		})
		fetches.EachRecord(func(got *kgo.Record) {
			now := time.Now().UnixMilli()
			fmt.Printf("got,%d,%d,%s,%d\n", got.Partition, got.Offset, got.Value, now)
		})
		if time.Since(committed) > 50*time.Millisecond {
			if err := client.CommitUncommittedOffsets(ending); err != nil {
				fmt.Printf("not committed at %d: %v\n", time.Now().UnixMilli(), err)
			}
			committed = time.Now()
		}
	}
	client.Close()
}

func started(options []kgo.Opt) *kgo.Client {
	client, err := kgo.NewClient(options...)
	if err != nil {
		fmt.Println("exception", err)
		os.Exit(1)
	}
	return client
}

func number(word string) int {
	number, err := strconv.Atoi(word)
	if err != nil {
		fmt.Println("exception", err)
		os.Exit(1)
	}
	return number
}
