
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

# A blank in front of text or answer belongs to it: " positive" is one token.
blank = lambda text: (text[:-1], " ") if text.endswith(" ") else (text, "")
(front, gap), (between, lead) = blank(TEXT_BEFORE), blank(TEXT_BETWEEN)
BEFORE = joint("", front, gap + "x")[0]

def tokens(text):
    before, own = joint("", front, gap + text)
    return (own if before == BEFORE else encode(gap + text))[-MOST:]
