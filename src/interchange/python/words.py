WORDS = WORDS_OF_LABELS

def behind(front, text):
    """Tokens of a text behind another."""
    if not front or not text: return encode(text) if text else []
    whole, head = encode(front + text), encode(front)
    return whole[len(head):] if whole[: len(head)] == head else encode(text)

def joint(front, left, right):
    """Tokens of two texts behind each other, as one string has them."""
    if not left: return [], behind(front, right)
    whole, head, tail = behind(front, left + right), behind(front, left), behind("\n", right)
    if whole[: len(head)] == head: return head, whole[len(head):]
    cut = len(whole) - len(tail)
    return (whole[:cut], tail) if cut >= 0 and whole[cut:] == tail else (head, tail)

# A blank in front of text or label belongs to it: " positive" is one token.
blank = lambda text: (text[:-1], " ") if text.endswith(" ") else (text, "")
(front, gap), (between, lead) = blank(TEXT_BEFORE), blank(TEXT_BETWEEN)
BEFORE = joint("", front, gap + "x")[0]
heads, ANSWERS = map(list, zip(*(joint("x", between, lead + word) for word in WORDS)))
if heads != [heads[0]] * len(heads):
    heads, ANSWERS = [behind("x", between)], [behind(between, lead + word) for word in WORDS]
BETWEEN, AFTER = heads[0], joint("x", TEXT_AFTER, front or "x")[0]
ANSWERS = [answer[:ALL] for answer in ANSWERS]
any_answer = lambda n: random.choice(ANSWERS)

def tokens(text):
    before, own = joint("", front, gap + text)
    return (own if before == BEFORE else encode(gap + text))[-MOST:]

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
