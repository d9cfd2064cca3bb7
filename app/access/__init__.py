"""Who is calling, what they may do with a share or a clip, how many bytes their clips may take."""
