"""The studio: trainings in the browser, served on this machine.

    slalom studio                     opens a page

Pages are static HTML with small scripts (`static/`), and one WebSocket each, over which they ask
for what is to be trained and draw the numbers that come back (`desk.py`, `wire.py`).
"""
