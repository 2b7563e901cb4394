held_out_pairs = [(x["prompt"], x["answer"]) for x in data["held_out"]]
pairs = [(x["prompt"], x["answer"]) for x in data["training"]]
pair = lambda: random.choice(pairs)
