import os

def files():
    """The model's own chat template, and the texts of the tokens that begin and end a text."""
    if "said" in globals():
        name = lambda key: said["tokens"][said[key]] if key in said else ""
        return said.get("tokenizer.chat_template"), name("bos_token_id"), name("eos_token_id")
    read = lambda name: open(f"{BASE}/{name}", encoding="utf-8").read() if os.path.exists(f"{BASE}/{name}") else ""
    settings = json.loads(read("tokenizer_config.json") or "{}")
    named = settings.get("chat_template") or ""
    if isinstance(named, list): named = next((t["template"] for t in named if t["name"] == "default"), "")
    text = lambda token: (token["content"] if isinstance(token, dict) else token) or ""
    own = read("chat_template.jinja")
    return own if own.strip() else named, text(settings.get("bos_token")), text(settings.get("eos_token"))

template, begin_token, end_token = files()

def chat(messages, asks=True):
    """Messages as one text, by the model's own template."""
    if not template: return "".join(f"{m['role']}: {m['content']}\n" for m in messages) + ("assistant: " if asks else "")
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"])
    return environment.from_string(template).render(
        messages=messages, add_generation_prompt=asks, bos_token=begin_token, eos_token=end_token
    )

if isinstance(pairs[0][0], list):
    said_by = lambda role, text: {"role": role, "content": text}
    asked = chat([said_by("user", "question")])
    whole = chat([said_by("user", "question"), said_by("assistant", "answer")], False)
    # What stands behind an answer ends it; else what ends a text.
    behind_answer = encode(whole.removeprefix(asked + "answer")) if template and whole.startswith(asked + "answer") else []
    names = [end_token][: bool(template)] + ["<|im_end|>", "<|eot_id|>", "<|end|>", "<|endoftext|>", "<|end_of_text|>", "</s>"]
    ends = [said["eos_token_id"]] if "eos_token_id" in globals().get("said", {}) else [tokenizer.token_to_id(n) for n in names]
    ends = [[t] for t in ends if t is not None]
    BEFORE, BETWEEN, AFTER = [], [], behind_answer[1:]
    END = behind_answer[:1] or (ends or [encode("\n")[-1:]])[0]
    plain_text = lambda t: t[len(BEGIN):] if BEGIN and t[: len(BEGIN)] == BEGIN else t
    tokens = lambda prompt: plain_text(encode(chat(prompt)))[-MOST:]
    one_line = lambda text: " ".join(text.split()) if END == encode("\n")[-1:] else text
    answer = lambda text: (encode(one_line(text)) + END)[:LONGEST]
