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
    asked = chat([said_by("user", "question")])
    whole = chat([said_by("user", "question"), said_by("assistant", "answer")], False)
    # What stands behind an answer ends it; else what ends a text.
    behind_answer = encode(whole.removeprefix(asked + "answer")) if template and whole.startswith(asked + "answer") else []
    names = ["<|im_end|>", "<|eot_id|>", "<|end|>", "<|endoftext|>", "<|end_of_text|>", "</s>"]
    ends = [said["eos_token_id"]] if "eos_token_id" in globals().get("said", {}) else [tokenizer.token_to_id(n) for n in names]
    ends = [[t] for t in ends if t is not None]
    BEFORE, BETWEEN, AFTER = [], [], behind_answer[1:]
    END = behind_answer[:1] or (ends or [encode("\n")[-1:]])[0]
    plain_text = lambda t: t[len(BEGIN):] if BEGIN and t[: len(BEGIN)] == BEGIN else t
    tokens = lambda prompt: plain_text(encode(chat(prompt)))[-MOST:]
    one_line = lambda text: " ".join(text.split()) if END == encode("\n")[-1:] else text
    answer = lambda text: (encode(one_line(text)) + END)[:LONGEST]
