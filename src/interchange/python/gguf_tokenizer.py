from gguf import GGUFReader
said = {key.removeprefix("tokenizer.ggml."): field.contents() for key, field in GGUFReader(BASE).fields.items()}
# How texts are cut before they are merged, by names.
cut = next(cut for names, cut in json.loads(CUTS) if said.get("pre", "default") in names)
plain = dict(single_word=False, lstrip=False, rstrip=False, normalized=False)
added = [plain | {"id": i, "content": t, "special": kind == 3} for i, (t, kind) in enumerate(zip(said["tokens"], said.get("token_type", []))) if kind in (3, 4)]
merged = {"type": "BPE", "vocab": {t: i for i, t in enumerate(said["tokens"])}, "merges": said["merges"], "ignore_merges": cut["ignore_merges"]}
parts = {"pre_tokenizer": cut["pre_tokenizer"], "normalizer": cut["normalizer"], "post_processor": None, "decoder": None, "model": merged}
tokenizer = Tokenizer.from_str(json.dumps({"version": "1.0", "truncation": None, "padding": None, "added_tokens": added} | parts))
BEGIN = [said["bos_token_id"]] if said.get("add_bos_token", cut["begins"]) else []
