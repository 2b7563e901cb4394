import os
from transformers import AutoConfig
# What the file says of its model, in transformers' keys.
config = AutoConfig.for_model(**json.loads(CONFIG))
model = CLASS.from_pretrained(os.path.dirname(BASE) or ".", gguf_file=os.path.basename(BASE), config=config, dtype=torch.float32)
