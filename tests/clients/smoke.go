// What a program does with the client that openapi-generator makes: see test_generated_clients.py.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	replay "example.com/replay"
)

func main() {
	baseURL, token, room := os.Args[1], os.Args[2], os.Args[3]
	configuration := replay.NewConfiguration()
	configuration.Servers = replay.ServerConfigurations{{URL: baseURL}}
	client := replay.NewAPIClient(configuration)
	ctx := context.WithValue(context.Background(), replay.ContextAccessToken, token)

	session, _, err := client.SessionsAPI.GetSession(ctx).Execute()
	check(err)
	buffers, _, err := client.BuffersAPI.ListBuffers(ctx).Room(room).Limit(1).Execute()
	check(err)
	buffer := buffers.Items[0]

	given := capture(room, "5s")
	given.SetTail(replay.TAIL_SKIP)
	given.SetCut(replay.CUT_SEGMENT)
	accepted, _, err := client.CapturesAPI.CreateCapture(ctx).CaptureRequest(*given).Execute()
	check(err)
	_, _, err = client.CapturesAPI.CreateCapture(ctx).CaptureRequest(*capture(room, "0s")).Execute()
	problem, ok := err.(*replay.GenericOpenAPIError).Model().(replay.InvalidProblem)
	if !ok {
		panic(fmt.Sprintf("%T", err.(*replay.GenericOpenAPIError).Model()))
	}

	check(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"identity": session.Identity,
		"buffer":   buffer.Id,
		"state":    buffer.State,
		"status":   accepted.Status,
		"problem":  problem.Type,
	}))
}

func capture(room, last string) *replay.CaptureRequest {
	given := replay.NewCaptureRequest()
	given.SetRoom(room)
	given.SetLast(replay.CaptureRequestLast{String: &last})
	return given
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
