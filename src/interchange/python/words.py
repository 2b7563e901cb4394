WORDS = WORDS_OF_LABELS

heads, ANSWERS = map(list, zip(*(joint("x", between, lead + word) for word in WORDS)))
if heads != [heads[0]] * len(heads):
    heads, ANSWERS = [behind("x", between)], [behind(between, lead + word) for word in WORDS]
BETWEEN, AFTER = heads[0], joint("x", TEXT_AFTER, front or "x")[0]
ANSWERS = [answer[:ALL] for answer in ANSWERS]
any_answer = lambda n: random.choice(ANSWERS)

def telling():
    """Of each label a token that tells it from the others."""
    chosen = []
    for label in ANSWERS:
        alone = [t for i, t in enumerate(label) if all(other is label or other[i : i + 1] != [t] for other in ANSWERS)]
        chosen.append(next(t for t in alone + label if t not in chosen))
    return chosen

LABELS = telling()
# Where labels are words of one token each, one of them is chosen, and the loss is among them.
CHOSEN = LABELS if NAMED and all(len(answer) == 1 for answer in ANSWERS) else None
example = lambda label, text: (BEGIN + BEFORE + tokens(text) + BETWEEN + ANSWERS[label], len(ANSWERS[label]))
