"""A small egress worker for development and tests.

It serves a real livekit-server v1.13.5 over Redis (psrpc), subscribes to the real WebRTC tracks
and writes the files, playlists and EgressInfo that LiveKit egress v1.14.1 writes;
tests/integration/standin holds both to the same assertions.

What it does not do: anything but Track Composite with a video track and one segment output;
template variables in prefixes; uploads to anything but S3, with a role, or side by side;
UpdateStream. A stop while STARTING is answered at once,
the real one builds its pipeline first. The full playlist is rewritten for every segment, the real
one's after the first hour only now and then. Black frames keep the frame grid, where the real
one's are off it by up to a frame.
"""
