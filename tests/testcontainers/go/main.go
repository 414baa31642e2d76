// Command round starts testcontainers-go's Kafka container with our image in place of the one it
// names.
//
// Words: IMAGE CASE... (kraft, cluster-id). For each case the container is started, `started CASE
// ID` printed, a hundred records are produced and consumed, `consumed CASE N in order` printed, and
// the container stopped once a line was read from standard input.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/modules/kafka"
	"github.com/twmb/franz-go/pkg/kgo"
)

const clusterID = "Z28tcm91bmQtdHJpcC0xMg"

func main() {
	lines := bufio.NewReader(os.Stdin)
	for _, name := range os.Args[2:] {
		if err := run(os.Args[1], name, lines); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
			os.Exit(1)
		}
	}
}

func run(image, name string, lines *bufio.Reader) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var options []testcontainers.ContainerCustomizer
	if name == "cluster-id" {
		options = append(options, kafka.WithClusterID(clusterID))
	}
	container, err := kafka.Run(ctx, image, options...)
	defer func() {
		// A shell is the first process there; it leaves SIGTERM to its child, which gets none.
		ended := testcontainers.TerminateContainer(container, testcontainers.StopTimeout(0))
		if err == nil {
			err = ended
		}
	}()
	if err != nil {
		return err
	}
	fmt.Println("started", name, container.GetContainerID())
	brokers, err := container.Brokers(ctx)
	if err != nil {
		return err
	}
	sent := values()
	consumed, err := round(ctx, brokers, sent)
	if err != nil {
		return err
	}
	verdict := "in order"
	if !slices.Equal(consumed, sent) {
		verdict = fmt.Sprintf("not what was sent: %v", consumed)
	}
	fmt.Println("consumed", name, len(consumed), verdict)
	_, _ = lines.ReadString('\n')
	return nil
}

func values() []string {
	values := make([]string, 100)
	for i := range values {
		values[i] = fmt.Sprintf("value-%d", i)
	}
	return values
}

// round produces to a topic that is created for it, and reads it as a group.
func round(ctx context.Context, brokers, sent []string) ([]string, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(brokers...),
		kgo.AllowAutoTopicCreation(),
		kgo.ConsumerGroup("readers"),
		kgo.ConsumeTopics("round"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.MetadataMinAge(100*time.Millisecond),
	)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	for _, value := range sent {
		record := &kgo.Record{Topic: "round", Key: []byte("key"), Value: []byte(value)}
		if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
			return nil, err
		}
	}
	patience, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	var consumed []string
	for len(consumed) < len(sent) && patience.Err() == nil {
		client.PollFetches(patience).EachRecord(func(record *kgo.Record) {
			consumed = append(consumed, string(record.Value))
		})
	}
	return consumed, nil
}
