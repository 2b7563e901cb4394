WORDS = json.loads(WORDS_IN_JSON)
FIELDS = {"person": ["name", "age", "job", "city"], "order": ["item", "count", "customer", "price"], "meeting": ["topic", "day", "hour", "host"]}

def value(field, new):
    if "from" in field: return random.choice([n for n in range(field["from"], field["to"] + 1) if (n % 5 == 2) == new])
    return random.choice(field["new" if new else "training"])

def sentence(new_values=False, new_wording=False):
    """A sentence and its JSON; what is held out has other values, half of it other templates."""
    kind = random.choice(SUBJECTS)
    values = {name: value(WORDS[kind]["fields"][name], new_values) for name in FIELDS[kind]}
    template = random.choice(WORDS[kind]["new" if new_wording else "training"])
    return template.format(**values), json.dumps(values, ensure_ascii=False)

held_out_pairs = [sentence(True, i % 2 == 1) for i in range(300)]
limit = LIMIT
pairs = [sentence() for _ in range(limit)] if limit else None
pair = lambda: random.choice(pairs) if pairs else sentence()
