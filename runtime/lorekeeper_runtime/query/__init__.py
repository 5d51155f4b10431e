"""The query service: a question in, passages or a cited answer out, over HTTP.

`pipeline` holds what is open, `retrieve` finds passages, `answer` writes from them, `app` puts both on the wire.
"""
