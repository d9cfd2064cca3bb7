"""A small egress worker for development and tests.

It serves a real livekit-server over Redis (psrpc), subscribes to the real WebRTC tracks and writes
the files, playlists and EgressInfo that LiveKit egress v1.14.1 writes. Only Track Composite
requests with a video track and one segment output are served.
"""
