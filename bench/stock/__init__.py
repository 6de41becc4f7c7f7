"""
The rival: this project served as Django's and Channels' documentation has it.

One daphne for HTTP and WebSocket, Django's own ASGI handler, Django's defaults for the
database (a connection per request: CONN_MAX_AGE is 0), a message sent to the channel
layer within the request, channels_redis's first-named layer, and a consumer that hands
on what its group gets. Views, services and statements are the project's. Nothing here
is made slower than people do it.
"""
