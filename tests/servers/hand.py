"""Hands the message on standard input to a mail server, as an application does with an envelope of its own.

    hand.py ADDRESS:PORT SENDER RECIPIENT
"""

import smtplib
import sys

(host, port), sender, recipient = sys.argv[1].rsplit(":", 1), sys.argv[2], sys.argv[3]
with smtplib.SMTP(host, int(port), "application.server.example", timeout=20) as server:
    server.sendmail(sender, [recipient], sys.stdin.buffer.read())
