"""Media itself: `.ts` files read, fragments, movies and pictures made. No database, no network."""
