// Logs in on franz-go, sends ten records and reads them in a group that commits:
//
//	steady secured CASES
//
// CASES is a file of JSON, as tests/src/secured_clients.rs writes it. All cases run at once. For
// each a line `NAME<tab>sent<tab>WHAT` and one `NAME<tab>read<tab>WHAT`: a count, or an error in the
// words of the client. A client that is refused goes on connecting, and says why to who pings.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

const (
	recordsOfACase = 10
	patience       = 30 * time.Second
)

type securedCase struct {
	Name, Bootstrap, Topic, Trust, Certificate, Mechanism, User, Password, Token string
}

func secured(path string) {
	var cases []securedCase
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &cases)
	}
	if err != nil {
		fmt.Println("exception", err)
		os.Exit(1)
	}
	lines := make([]chan string, len(cases))
	for at := range cases {
		lines[at] = make(chan string, 1)
		go func() { lines[at] <- cases[at].line("sent", send) + cases[at].line("read", read) }()
	}
	for _, line := range lines {
		fmt.Print(<-line)
	}
}

type work func(context.Context, securedCase) (int, error)

func (own securedCase) line(what string, done work) string {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	count, err := done(ctx, own)
	said := strconv.Itoa(count)
	if err != nil {
		said = strings.ReplaceAll(err.Error(), "\n", " ")
	}
	return fmt.Sprintf("%s\t%s\t%s\n", own.Name, what, said)
}

func (own securedCase) client(ctx context.Context, more ...kgo.Opt) (*kgo.Client, error) {
	options := append(more, kgo.SeedBrokers(own.Bootstrap))
	if own.Trust != "" {
		trusted, err := os.ReadFile(own.Trust)
		if err != nil {
			return nil, err
		}
		settings := &tls.Config{RootCAs: x509.NewCertPool()}
		settings.RootCAs.AppendCertsFromPEM(trusted)
		if own.Certificate != "" {
			pair, err := tls.LoadX509KeyPair(own.Certificate+".pem", own.Certificate+".key")
			if err != nil {
				return nil, err
			}
			settings.Certificates = []tls.Certificate{pair}
		}
		options = append(options, kgo.DialTLSConfig(settings))
	}
	switch own.Mechanism {
	case "PLAIN":
		auth := plain.Auth{User: own.User, Pass: own.Password}
		options = append(options, kgo.SASL(auth.AsMechanism()))
	case "SCRAM-SHA-256":
		auth := scram.Auth{User: own.User, Pass: own.Password}
		options = append(options, kgo.SASL(auth.AsSha256Mechanism()))
	case "SCRAM-SHA-512":
		auth := scram.Auth{User: own.User, Pass: own.Password}
		options = append(options, kgo.SASL(auth.AsSha512Mechanism()))
	case "OAUTHBEARER":
		token, err := os.ReadFile(own.Token)
		if err != nil {
			return nil, err
		}
		options = append(options, kgo.SASL(oauth.Auth{Token: string(token)}.AsMechanism()))
	}
	client, err := kgo.NewClient(options...)
	if err == nil {
		if err = client.Ping(ctx); err != nil {
			client.Close()
		}
	}
	return client, err
}

func send(ctx context.Context, own securedCase) (int, error) {
	client, err := own.client(ctx, kgo.DefaultProduceTopic(own.Topic))
	if err != nil {
		return 0, err
	}
	defer client.Close()
	records := make([]*kgo.Record, recordsOfACase)
	for number := range records {
		records[number] = kgo.StringRecord(strconv.Itoa(number))
	}
	results := client.ProduceSync(ctx, records...)
	return len(results), results.FirstErr()
}

func read(ctx context.Context, own securedCase) (int, error) {
	client, err := own.client(ctx, kgo.ConsumerGroup(own.Topic), kgo.ConsumeTopics(own.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit())
	if err != nil {
		return 0, err
	}
	defer client.Close()
	count := 0
	for count < recordsOfACase {
		fetches := client.PollFetches(ctx)
		if err := errors.Join(fetchErrors(fetches)...); err != nil {
			return count, err
		}
		count += fetches.NumRecords()
	}
	return count, client.CommitUncommittedOffsets(ctx)
}

func fetchErrors(fetches kgo.Fetches) (all []error) {
	for _, failed := range fetches.Errors() {
		all = append(all, failed.Err)
	}
	return all
}
