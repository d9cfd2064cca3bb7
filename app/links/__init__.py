"""What a clip's link shows whoever follows it: a page, a player to embed, what chats unfurl."""
