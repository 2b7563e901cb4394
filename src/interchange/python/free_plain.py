BEFORE, BETWEEN, AFTER, END = [], encode("\n")[-1:], [], encode("\n")[-1:]
tokens = lambda text: encode(text)[-MOST:]
answer = lambda text: (encode(text) + END)[:LONGEST]
