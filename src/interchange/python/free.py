
BETWEEN, AFTER = joint("x", between, lead + "x")[0], joint("x", TEXT_AFTER, front or "x")[0]
# What stands behind an answer ends it, and is predicted too.
END, AFTER = (AFTER or encode("\n"))[:1], AFTER[1:]

def answer(text):
    head, own = joint("x", between, lead + text)
    return ((own if head == BETWEEN else behind(between, lead + text)) + END)[:LONGEST]

