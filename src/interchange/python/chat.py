template = globals().get("said", {}).get("tokenizer.chat_template")

def chat(messages, asks=True):
    """Messages as one text, by the model's own template."""
    if not template: return "".join(f"{m['role']}: {m['content']}\n" for m in messages) + ("assistant: " if asks else "")
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"])
    name = lambda key: said["tokens"][said[key]] if key in said else ""
    ends = {"bos_token": name("bos_token_id"), "eos_token": name("eos_token_id")}
    return environment.from_string(template).render(messages=messages, add_generation_prompt=asks, **ends)

if isinstance(pairs[0][0], list):
    said_by = lambda role, text: {"role": role, "content": text}
    BEFORE, BETWEEN, AFTER = [], [], []
    asked = chat([said_by("user", "question")])
    whole = chat([said_by("user", "question"), said_by("assistant", "answer")], False)
    # What stands behind an answer ends it.
    END = (encode(whole.removeprefix(asked + "answer")) if template and whole.startswith(asked + "answer") else [])[:1] or encode("\n")[-1:]
    tokens = lambda prompt: encode(chat(prompt))[-MOST:]
    answer = lambda text: (encode(text) + END)[:LONGEST]
