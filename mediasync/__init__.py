"""mediasync: movie and TV libraries with their full cast and crew, mirrored into one SQL database."""
