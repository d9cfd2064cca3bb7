"""Media as bytes: MPEG-TS segments in, fragments and MP4 files out.

Pure of web, queue and database: every function here takes paths, bytes and numbers.
"""
