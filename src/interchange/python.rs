//! The Python that does the same as a configuration, with PyTorch, Hugging Face `transformers` and, where it has the method,
//! `peft`. It is run by a test.

use crate::config::RunConfig;
use crate::model::{ModulePath, ParamKind, Target};
use crate::peft::{Blocks, DemonstrationLabels, Embeddings, Lora, Mask, Method, MethodConfig, Placement, Rows};
use crate::task::TaskConfig;

/// A whole script: base, method, task, training, accuracy.
pub fn script(config: &RunConfig) -> String {
    if config.shape().model.is_gpt2() {
        return "# This base has GPT-2's layout. The script reaches into OPT's modules by their names: choose a base of that layout.\n".into();
    }
    let task = match &config.task {
        TaskConfig::Rules { .. } | TaskConfig::Questions { .. } => strings(config),
        TaskConfig::Text { of, .. } => text(of.max_tokens(), config),
        TaskConfig::Style { author } => style(*author, config),
        TaskConfig::UserData { data, .. } if data.classes.is_some() => text(crate::task::text::MAX_TOKENS, config),
        TaskConfig::UserData { .. } => style(0, config),
    };
    // What peft wraps comes first: the others then reach into the model it wraps.
    // It holds one method: of several a low-rank one, and the others are written out.
    // DoRA before the other low-rank ones: it takes the most to write out.
    let is = |name: &'static str| move |m: &&MethodConfig| m.info().name == name;
    let first = ["dora", "lora", "vera"].into_iter().find_map(|name| config.methods().find(is(name)));
    let wrapped = first.unwrap_or(&config.method);
    let mut methods: Vec<String> = config
        .methods()
        .map(|m| if m == wrapped { method(m, config) } else { plain(m, config).unwrap_or_else(|| method(m, config)) })
        .collect();
    methods.sort_by_key(|m| !m.contains("get_peft_model"));
    let peft = methods.iter().any(|m| m.contains("get_peft_model"));
    let peft = if peft { "from peft import *\n" } else { "" };
    format!(
        "# {label} on {task_title}, base {base}: what `peft-lab train` does, in PyTorch.\n\
         # pip install torch transformers{pip}; BASE is a folder with config.json, model.safetensors and tokenizer.json.\n\
         import json, random, sys\n\
         import torch\n\
         import torch.nn.functional as F\n\
         {peft}from transformers import OPTForCausalLM\n\n\
         BASE = sys.argv[1] if len(sys.argv) > 1 else \"www/models/{base}\"\n\
         STEPS, BATCH, RATE = {steps}, {batch}, {rate:e}\n\
         random.seed({seed}); torch.manual_seed({seed})\n\n\
         {task}\n\
         model = OPTForCausalLM.from_pretrained(BASE, dtype=torch.float32)\n\
         for p in model.parameters(): p.requires_grad_(False)\n\
         {DEFAULTS}{methods}\n\
         {TRAINING}",
        label = config.label(),
        task_title = config.task.title(),
        base = config.base.id,
        pip = if peft.is_empty() { "" } else { " peft" },
        steps = if config.trains() { config.steps } else { 0 },
        batch = config.batch_size(),
        rate = config.learning_rate(),
        seed = config.seed,
        methods = methods.join("\n"),
    )
}

/// Batches, AdamW with warm-up and decay, and accuracy on held-out examples.
const TRAINING: &str = r#"
trained = [p for p in model.parameters() if p.requires_grad] + extra
count = sum(p.numel() for p in trained) if counted is None else counted
print(f"trainable: {count:,}")

def answers(logits, rows):
    """Logits in front of each answer's tokens; virtual tokens, if the method has some, stand at the front."""
    first = logits.shape[1] - max(len(t) for t, _ in rows)
    return [(logits[i, first + len(t) - n - 1 : first + len(t) - 1], torch.tensor(t[-n:])) for i, (t, n) in enumerate(rows)]

def forward(rows):
    width = max(len(t) for t, _ in rows)
    ids = torch.tensor([t + [0] * (width - len(t)) for t, _ in rows])
    # Padding stands at the right, where causal attention does not look.
    return answers(apply(ids, torch.ones_like(ids)), rows)

if trained and STEPS:
    optimizer = torch.optim.AdamW(trained, lr=RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)
    rate = lambda s: min((s + 1) / (0.05 * STEPS), 1.0) * (1 - s / STEPS)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    for step in range(STEPS):
        before_step(step)
        pairs = forward([draw() for _ in range(BATCH)])
        loss = F.cross_entropy(torch.cat([z for z, _ in pairs]), torch.cat([t for _, t in pairs]))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step(); schedule.step(); optimizer.zero_grad()
        if step % 20 == 0 or step == STEPS - 1: print(f"step {step + 1}: loss {loss.item():.4f}")

with torch.no_grad():
    right = 0
    for i in range(0, len(held_out), 64):
        for z, t in forward(held_out[i : i + 64]):
            hits = torch.tensor(LABELS)[z[:, LABELS].argmax(-1)] == t
            right += hits.all().item() if WHOLE else hits.float().mean().item()
print(f"accuracy {right / len(held_out):.3f} of {len(held_out)}")
"#;

/// Text and label in the task's own form or in a template's words: Python lists of tokens.
fn form(config: &RunConfig, between: &str, after: &str) -> String {
    let template = config.methods().find_map(|m| match m {
        MethodConfig::Icl(icl) => icl.template(),
        _ => None,
    });
    match template {
        Some(t) => {
            format!("BEFORE, BETWEEN, AFTER = encode({:?}), encode({:?}), encode({:?})\n", t.before, t.between, t.after)
        }
        None => format!("BEFORE, BETWEEN, AFTER = [], {between}, {after}\n"),
    }
}

/// Where a task's file comes from.
fn source(config: &RunConfig) -> String {
    let file = config.task.file().unwrap_or_default();
    match &config.task {
        TaskConfig::UserData { .. } => "open(sys.argv[2])  # your data: “Bring your own” on the page saves it".into(),
        _ => format!("open(sys.argv[2] if len(sys.argv) > 2 else \"www/{file}\")  # `cargo xtask bake` writes it"),
    }
}

/// The tokenizer, what it puts in front of every text, and the task's file as `data`.
fn tokenizer(config: &RunConfig) -> String {
    format!(
        "from tokenizers import Tokenizer\n\
         tokenizer = Tokenizer.from_file(BASE + \"/tokenizer.json\")\n\
         encode = lambda text: tokenizer.encode(text, add_special_tokens=False).ids\n\
         BEGIN = tokenizer.encode(\"\").ids\n\
         file = {}\n\
         data = json.load(file)\n",
        source(config)
    )
}

/// Texts with labels.
fn text(max_tokens: usize, config: &RunConfig) -> String {
    format!(
        "{}LABELS = [encode(x[\"label\"])[0] for x in data[\"labels\"]]\n\
         {}\
         example = lambda label, text: (BEGIN + BEFORE + encode(text)[-{max_tokens}:] + BETWEEN + [LABELS[label]], 1)\n\
         pool, held_out = ([example(*x) for x in data[part]] for part in (\"training\", \"held_out\"))\n\
         draw = lambda: random.choice(pool)\n\
         BEGINS, WHOLE = len(BEGIN), True\n",
        tokenizer(config),
        form(config, "encode(\"\\n\")", "encode(\"\\n\")"),
    )
}

/// Windows of one author's text.
fn style(author: usize, config: &RunConfig) -> String {
    format!(
        "{}LABELS = list(range(tokenizer.get_vocab_size()))\n\
         pool, rest = encode(data[\"authors\"][{author}][\"training\"]), encode(data[\"authors\"][{author}][\"held_out\"])\n\
         window = lambda text, at: (text[at : at + {window}], {window} - 1)\n\
         held_out = [window(rest, at) for at in range(0, len(rest) - {window} + 1, {window} - 1)]\n\
         draw = lambda: window(pool, random.randrange(len(pool) - {window} + 1))\n\
         BEGINS, WHOLE = 0, False\n",
        tokenizer(config),
        window = crate::task::style::WINDOW,
    )
}

/// What is asked of a string, as the body of a Python function of letters from 0 to 15.
fn asked(task: &TaskConfig) -> String {
    if let TaskConfig::Questions { question, .. } = task {
        let python = match question.name() {
            "rises" => "s[3] > s[0]",
            "vowel-first" => "s[0] in (0, 4, 8, 14)",
            "has-vowel" => "any(c in (0, 4, 8, 14) for c in s)",
            "repeats" => "len(set(s)) < 4",
            // A question of its own needs a line here; the test that runs every one asks for it.
            _ => "s == sorted(s)",
        };
        return format!("    return [0 if {python} else 13]  # a for yes, n for no");
    }
    let TaskConfig::Rules { rule, .. } = task else { return String::new() };
    let python = |name: &str| match name {
        "copy" => "s".to_string(),
        "reverse" => "s[::-1]".into(),
        "rotate-left" => "s[1:] + s[:1]".into(),
        "rotate-right" => "s[-1:] + s[:-1]".into(),
        "swap-ends" => "[s[3], s[1], s[2], s[0]]".into(),
        "swap-pairs" => "[s[1], s[0], s[3], s[2]]".into(),
        "first" => "s[:1] * 4".into(),
        "last" => "s[-1:] * 4".into(),
        "sort" => "sorted(s)".into(),
        "sort-down" => "sorted(s)[::-1]".into(),
        "max" => "[max(s)] * 4".into(),
        "min" => "[min(s)] * 4".into(),
        "next" => "[(c + 1) % 16 for c in s]".into(),
        "previous" => "[(c + 15) % 16 for c in s]".into(),
        "plus-3" => "[(c + 3) % 16 for c in s]".into(),
        "mirror" => "[15 - c for c in s]".into(),
        "cipher" => format!("[{:?}[c] for c in s]", crate::task::rules::CIPHER),
        "if-vowel" => "s[::-1] if s[0] in (0, 4, 8, 14) else sorted(s)".into(),
        // A rule of its own file needs a line here; the test that runs every rule asks for it.
        _ => "[sum(c > s[0] for c in s)] * 4".into(),
    };
    let text = rule.to_string();
    let steps: Vec<String> = text.split('.').map(|name| format!("    s = {}  # {name}", python(name))).collect();
    format!("{}\n    return s", steps.join("\n"))
}

/// Strings of four letters and what is asked of them.
fn strings(config: &RunConfig) -> String {
    let (labels, draw) = match &config.task {
        TaskConfig::Questions { question, .. } => {
            // Both answers are as common; strings in order are too rare to wait for.
            let yes = if question.name() == "sorted" { "sorted(any_letters())" } else { "any_letters()" };
            let draw = format!(
                "def letters():\n    \
                     wanted = random.choice([0, 13])\n    \
                     while asked(s := {yes} if wanted == 0 else any_letters()) != [wanted]: pass\n    \
                     return s\n"
            );
            ("[13, 0]  # no, yes", draw)
        }
        _ => ("list(range(16))  # letters a to p; 16 is >, 18 is <s>", "letters = any_letters\n".to_string()),
    };
    format!(
        "LABELS = {labels}\n\
         encode = lambda text: [16 if c == \">\" else 17 if c == \";\" else ord(c) - 97 if \"a\" <= c <= \"p\" else 19 for c in text]\n\
         {}\
         def asked(s):\n{}\n\
         def example(s): return [18] + BEFORE + s + BETWEEN + asked(s), len(asked(s))\n\
         any_letters = lambda: [random.randrange(16) for _ in range(4)]\n\
         {draw}\
         held_out_strings = [letters() for _ in range(512)]\n\
         held_out = [example(s) for s in held_out_strings]\n\
         def draw():\n    while (s := letters()) in held_out_strings: pass\n    return example(s)\n\
         BEGINS, WHOLE = 1, True\n",
        form(config, "[16]", "[17]"),
        asked(&config.task),
    )
}

/// What every method may set: how logits are computed, what is trained outside the model, what happens before a step.
const DEFAULTS: &str = "base, extra, counted = model, [], None\n\
     apply = lambda ids, mask: model(input_ids=ids, attention_mask=mask).logits\n\
     before_step = lambda step: None\n";

/// A discrete prompt: tokens in front of every text, behind what begins it.
const IN_FRONT: &str = "def apply(ids, mask):\n    \
     text = torch.tensor(TEXT, dtype=torch.long).expand(len(ids), -1)\n    \
     ids = torch.cat([ids[:, :BEGINS], text, ids[:, BEGINS:]], 1)\n    \
     return model(input_ids=ids).logits\n";

fn quoted(targets: &[Target]) -> String {
    format!("[{}]", targets.iter().map(|t| format!("\"{}\"", t.module())).collect::<Vec<_>>().join(", "))
}

fn transformed(layers: &Blocks, config: &RunConfig) -> String {
    match layers.is_all() {
        true => String::new(),
        false => format!(", layers_to_transform={:?}", layers.list(config.shape().model.num_hidden_layers)),
    }
}

fn peft(config: &str) -> String {
    format!(
        "model = get_peft_model(model, {config})\nmodel.print_trainable_parameters()\nbase = model.get_base_model()\n"
    )
}

fn lora(m: &Lora, config: &RunConfig, more: &str) -> String {
    peft(&format!(
        "LoraConfig(task_type=\"CAUSAL_LM\", r={}, lora_alpha={}, target_modules={}, lora_dropout={}{}{}{more})",
        m.rank,
        m.alpha(),
        quoted(&m.target_modules),
        m.lora_dropout,
        if m.use_rslora { ", use_rslora=True" } else { "" },
        transformed(&m.layers, config),
    ))
}

/// Trains the parameters whose names are these.
fn copies(method: &dyn Method, config: &RunConfig) -> String {
    let model = config.shape().model;
    let pieces = |place: ModulePath| place.pieces().iter().map(move |piece| (place, *piece));
    let all = || ModulePath::all(model.num_hidden_layers).flat_map(pieces);
    let name = |(place, piece): (ModulePath, ParamKind)| {
        format!("{}.{}", place.key(), if piece == ParamKind::Bias { "bias" } else { "weight" })
    };
    let (inside, outside): (Vec<_>, Vec<_>) = all().partition(|(place, piece)| method.copies(*place, *piece, &model));
    if outside.is_empty() {
        return "for p in base.parameters(): p.requires_grad_(True)\n".into();
    }
    let (list, test) = if inside.len() <= outside.len() { (inside, "in") } else { (outside, "not in") };
    let names: Vec<String> = list.into_iter().map(|x| format!("\"{}\"", name(x))).collect();
    format!(
        "names = {{{}}}\n\
         for name, p in base.named_parameters():\n    \
             if name.replace(\".base_layer\", \"\") {test} names: p.requires_grad_(True)\n",
        names.join(", ")
    )
}

/// Names of chosen modules.
fn keys(targets: &[Target], layers: &Blocks, config: &RunConfig) -> Vec<String> {
    let layers = layers.list(config.shape().model.num_hidden_layers).into_iter();
    layers.flat_map(|layer| targets.iter().map(move |t| ModulePath::Linear(layer, *t).key())).collect()
}

/// A method of peft without peft, for a model that holds another one; `None` for what peft does not have.
fn plain(method: &MethodConfig, config: &RunConfig) -> Option<String> {
    let model = config.shape().model;
    let d = model.hidden_size;
    let in_front = "embed = base.model.decoder.embed_tokens\n\
         def apply(ids, mask):\n    \
             front = prompt().expand(len(ids), -1, -1)\n    \
             mask = torch.cat([torch.ones(front.shape[:2], dtype=mask.dtype), mask], 1)\n    \
             return model(inputs_embeds=torch.cat([front, embed(ids)], 1), attention_mask=mask).logits\n";
    match method {
        MethodConfig::LnTuning(m) => Some(copies(m, config)),
        MethodConfig::Lora(m) => Some(format!(
            "def low_rank(name):\n    \
                 module = base.get_submodule(name)\n    \
                 i, o = module.in_features, module.out_features\n    \
                 A, B = torch.nn.Parameter((2 * torch.rand({r}, i) - 1) / i**0.5), torch.nn.Parameter(torch.zeros(o, {r}))\n    \
                 extra.extend([A, B])\n    \
                 x = lambda inputs: F.dropout(inputs[0], {}, training=torch.is_grad_enabled())\n    \
                 module.register_forward_hook(lambda _m, inputs, y: y + {} * (x(inputs) @ A.T) @ B.T)\n\
             for name in {:?}: low_rank(name)\n",
            m.lora_dropout,
            m.scaling(),
            keys(&m.target_modules, &m.layers, config),
            r = m.rank
        )),
        MethodConfig::Vera(m) => {
            let (i, o) = m.shared(&model);
            Some(format!(
                "shared_A, shared_B = (2 * torch.rand({r}, {i}) - 1) * (6 / {i}) ** 0.5, (2 * torch.rand({o}, {r}) - 1) * (6 / {r}) ** 0.5\n\
                 def scales(name):\n    \
                     module = base.get_submodule(name)\n    \
                     A, B = shared_A[:, : module.in_features], shared_B[: module.out_features]\n    \
                     b, d = torch.nn.Parameter(torch.zeros(len(B))), torch.nn.Parameter(torch.full(({r},), 0.1))\n    \
                     extra.extend([b, d])\n    \
                     module.register_forward_hook(lambda _m, inputs, y: y + b * ((d * (inputs[0] @ A.T)) @ B.T))\n\
                 for name in {:?}: scales(name)\n",
                keys(&m.target_modules, &m.layers, config),
                r = m.rank
            ))
        }
        MethodConfig::Prompt(m) => Some(format!(
            "vectors = torch.nn.Parameter(base.model.decoder.embed_tokens.weight[torch.randint({}, ({},))].clone())\n\
             extra.append(vectors)\nprompt = lambda: vectors\n{in_front}",
            model.vocab_size, m.num_virtual_tokens
        )),
        MethodConfig::PTuning(m) => Some(format!(
            "E = torch.nn.Parameter(torch.randn({}, {d}))\n\
             mlp = torch.nn.Sequential(torch.nn.Linear({d}, {h}), torch.nn.ReLU(), torch.nn.Linear({h}, {h}), torch.nn.ReLU(), torch.nn.Linear({h}, {d}))\n\
             extra.extend([E, *mlp.parameters()])\nprompt = lambda: mlp(E)\n{in_front}",
            m.num_virtual_tokens,
            h = m.encoder_hidden_size
        )),
        MethodConfig::Ia3(m) => {
            let places = m.layers.list(model.num_hidden_layers).into_iter();
            let places =
                places.flat_map(|layer| m.target_modules.iter().map(move |t| (ModulePath::Linear(layer, *t), *t)));
            let named = places.map(|(place, target)| {
                let (inputs, outputs) = target.shape(&model);
                let n = if target == Target::Fc2 { inputs } else { outputs };
                format!("(\"{}\", {n}, {})", place.key(), if target == Target::Fc2 { "True" } else { "False" })
            });
            Some(format!(
                "def factor(name, n, inner):\n    \
                     module, l = base.get_submodule(name), torch.nn.Parameter(torch.ones(n))\n    \
                     extra.append(l)\n    \
                     if inner: module.register_forward_pre_hook(lambda _m, inputs: (inputs[0] * l,))\n    \
                     else: module.register_forward_hook(lambda _m, _i, y: y * l)\n\
                 for place in [{}]: factor(*place)\n",
                named.collect::<Vec<_>>().join(", ")
            ))
        }
        _ => None,
    }
}

fn method(method: &MethodConfig, config: &RunConfig) -> String {
    let model = config.shape().model;
    let (d, n) = (model.hidden_size, model.num_hidden_layers);
    match method {
        MethodConfig::Lora(m) => lora(m, config, ""),
        MethodConfig::Dora(m) => lora(&m.lora(), config, ", use_dora=True"),
        MethodConfig::Vera(m) => peft(&format!(
            "VeraConfig(task_type=\"CAUSAL_LM\", r={}, target_modules={}, projection_prng_key=0{})",
            m.rank,
            quoted(&m.target_modules),
            transformed(&m.layers, config)
        )),
        MethodConfig::Ia3(m) => {
            let names = |wanted: fn(&Target) -> bool| {
                let targets = m.target_modules.iter().filter(move |t| wanted(t));
                let named = |t: &Target| match m.layers.is_all() {
                    true => vec![t.module().to_string()],
                    false => m.layers.list(n).into_iter().map(|l| ModulePath::Linear(l, *t).key()).collect(),
                };
                format!("{:?}", targets.flat_map(named).collect::<Vec<_>>())
            };
            peft(&format!(
                "IA3Config(task_type=\"CAUSAL_LM\", target_modules={}, feedforward_modules={})",
                names(|_| true),
                names(|t| *t == Target::Fc2)
            ))
        }
        MethodConfig::LnTuning(_) => peft(
            "LNTuningConfig(task_type=\"CAUSAL_LM\", target_modules=[\"self_attn_layer_norm\", \"final_layer_norm\"])",
        ),
        MethodConfig::Prompt(m) => format!(
            "{}with torch.no_grad():  # from vectors of the vocabulary, as `init=vocab`\n    \
             rows = torch.randint({}, ({},))\n    \
             model.prompt_encoder[\"default\"].embedding.weight.copy_(model.word_embeddings.weight[rows])\n",
            peft(&format!("PromptTuningConfig(task_type=\"CAUSAL_LM\", num_virtual_tokens={})", m.num_virtual_tokens)),
            model.vocab_size,
            m.num_virtual_tokens
        ),
        MethodConfig::PTuning(m) => peft(&format!(
            "PromptEncoderConfig(task_type=\"CAUSAL_LM\", num_virtual_tokens={}, encoder_hidden_size={})",
            m.num_virtual_tokens, m.encoder_hidden_size
        )),
        MethodConfig::Prefix(m) if m.layers.is_all() && config.also.is_empty() => peft(&format!(
            "PrefixTuningConfig(task_type=\"CAUSAL_LM\", num_virtual_tokens={}{})",
            m.num_virtual_tokens,
            if m.prefix_projection {
                format!(", prefix_projection=True, encoder_hidden_size={}", m.encoder_hidden_size)
            } else {
                String::new()
            }
        )),
        MethodConfig::Prefix(m) => {
            let layers = m.layers.list(n);
            let (h, k) = (m.encoder_hidden_size, layers.len());
            let written = if m.prefix_projection {
                format!(
                    "E = torch.nn.Parameter(torch.randn(N, {d}))\n\
                     mlp = torch.nn.Sequential(torch.nn.Linear({d}, {h}), torch.nn.Tanh(), torch.nn.Linear({h}, {}))\n\
                     extra.extend([E, *mlp.parameters()])\n\
                     own = lambda layer: mlp(E).view(N, {k}, 2, {d})[:, LAYERS.index(layer)].transpose(0, 1)\n",
                    2 * k * d
                )
            } else {
                format!(
                    "prefix = {{i: torch.nn.Parameter(torch.randn(2, N, {d}) * torch.tensor([0.5, 0.1]).view(2, 1, 1)) for i in LAYERS}}\n\
                     extra.extend(prefix.values())\nown = lambda layer: prefix[layer]\n"
                )
            };
            format!(
                "# peft's prefix stands in every layer of a model of its own; here keys and values come in by a hook.\n\
             N, HEADS, LAYERS = {}, base.config.num_attention_heads, {layers:?}\n\
             {written}\
             positions = base.model.decoder.embed_positions\n\
             moved = torch.nn.Embedding.from_pretrained(positions.weight[N:])\n\
             base.model.decoder.embed_positions.forward = lambda mask, past=0, position_ids=None: moved(torch.arange(mask.shape[1]).expand_as(mask) + 2)\n\
             def attention(layer):\n    \
                 block = base.model.decoder.layers[layer].self_attn\n    \
                 def forward(hidden_states, **_):\n        \
                     split = lambda x: x.unflatten(-1, (HEADS, -1)).transpose(1, 2)\n        \
                     b, t = hidden_states.shape[:2]\n        \
                     q, k, v = (f(hidden_states) for f in (block.q_proj, block.k_proj, block.v_proj))\n        \
                     k, v = (torch.cat([p.expand(b, -1, -1), x], 1) for p, x in zip(own(layer), (k, v)))\n        \
                     sees = torch.ones(t, N + t, dtype=torch.bool).tril(N)\n        \
                     mixed = F.scaled_dot_product_attention(split(q), split(k), split(v), attn_mask=sees)\n        \
                     return block.out_proj(mixed.transpose(1, 2).flatten(2)), None\n    \
                 block.forward = forward\n\
             for layer in LAYERS: attention(layer)\n",
                m.num_virtual_tokens,
            )
        }
        MethodConfig::Icl(m) => {
            let label = match m.labels {
                DemonstrationLabels::True => "t[-n:]",
                DemonstrationLabels::Random => "[random.choice(LABELS) for _ in range(n)]",
            };
            format!(
                "# Demonstrations: training examples with their answers, the same in front of every question.\n\
                 shots = [t[BEGINS:-n] + {label} + AFTER for t, n in (draw() for _ in range({}))]\n\
                 TEXT = sum(shots, [])\n{IN_FRONT}",
                m.shots
            )
        }
        MethodConfig::TextPrompt(m) => format!("TEXT = encode({:?})\n{IN_FRONT}", m.text),
        MethodConfig::LastLayer(m) if m.rows != Rows::Block => {
            let rows = if m.rows == Rows::Labels { "LABELS" } else { "slice(None)" };
            format!(
                "# An untied copy of the head, or of its labels' rows.\n\
                 table = base.model.decoder.embed_tokens.weight.detach()\n\
                 head = torch.nn.Parameter(table[{rows}].clone())\n\
                 extra.append(head)\n\
                 def apply(ids, mask):\n    \
                     features = base.model(input_ids=ids, attention_mask=mask).last_hidden_state\n    \
                     whole = table.clone(); whole[{rows}] = head\n    \
                     return features @ whole.T\n"
            )
        }
        MethodConfig::Adapter(m) => {
            let act = match method.get("non_linearity").as_deref() {
                Some("relu") => "F.relu",
                Some("silu") => "F.silu",
                Some("tanh") => "torch.tanh",
                _ => "lambda x: F.gelu(x, approximate=\"tanh\")",
            };
            let mut hooks = String::new();
            if m.placement.at_attention() {
                hooks.push_str("    layer.self_attn.out_proj.register_forward_hook(bottleneck())\n");
            }
            match m.placement {
                Placement::Parallel => hooks.push_str(
                    "    # Beside the MLP: what it reads comes from the residual line, in front of the LayerNorm.\n    \
                     parallel(layer)\n",
                ),
                placement if placement.at_mlp() => {
                    hooks.push_str("    layer.fc2.register_forward_hook(bottleneck())\n");
                }
                _ => {}
            }
            format!(
                "D, K, SCALING, act = {d}, {}, {}, {act}\n\
                 def module():\n    \
                     down, up = torch.nn.Linear(D, K), torch.nn.Linear(K, D)\n    \
                     torch.nn.init.normal_(down.weight, std=0.02)\n    \
                     for p in (down.bias, up.weight, up.bias): torch.nn.init.zeros_(p)\n    \
                     extra.extend([*down.parameters(), *up.parameters()])\n    \
                     return lambda x: SCALING * up(act(down(x)))\n\
                 def bottleneck():\n    \
                     change = module()\n    \
                     return lambda _module, _inputs, y: y + change(y)\n\
                 def parallel(layer):\n    \
                     change, read = module(), {{}}\n    \
                     layer.final_layer_norm.register_forward_pre_hook(lambda _m, inputs: read.update(x=inputs[0]))\n    \
                     layer.fc2.register_forward_hook(lambda _m, _i, y: y + change(read[\"x\"]).view_as(y))\n\
                 for i in {:?}:\n    layer = base.model.decoder.layers[i]\n{hooks}",
                m.bottleneck,
                m.scaling,
                m.layers.list(n)
            )
        }
        MethodConfig::Sparse(m) => {
            let score = match m.mask {
                Mask::Magnitude => "p.detach().abs()",
                Mask::Random => "torch.rand_like(p)",
                Mask::Fisher => "fisher[name]",
                Mask::Change => "(p.detach() - start[name]).abs()",
            };
            let first = match m.mask {
                Mask::Fisher => {
                    "fisher = {name: torch.zeros_like(p) for name, p in matrices.items()}\n\
                     for _ in range(64):\n    \
                         tokens, n = draw()\n    \
                         logits = model(input_ids=torch.tensor([tokens])).logits[0, -n - 1 : -1]\n    \
                         F.cross_entropy(logits, torch.tensor(tokens[-n:])).backward()\n    \
                         for name, p in matrices.items(): fisher[name] += p.grad ** 2; p.grad = None\n"
                }
                Mask::Change => {
                    "start = {name: p.detach().clone() for name, p in matrices.items()}\n\
                     first = torch.optim.AdamW(matrices.values(), lr=5e-3, weight_decay=0.0)\n\
                     for _ in range(max(min(STEPS // 2, 150), 1)):\n    \
                         tokens, n = draw()\n    \
                         logits = model(input_ids=torch.tensor([tokens])).logits[0, -n - 1 : -1]\n    \
                         F.cross_entropy(logits, torch.tensor(tokens[-n:])).backward()\n    \
                         first.step(); first.zero_grad()\n"
                }
                _ => "",
            };
            let back = if m.mask == Mask::Change {
                "with torch.no_grad():\n    for name, p in matrices.items(): p.copy_(start[name])\n"
            } else {
                ""
            };
            format!(
                "# Only K weights get a gradient: the others' is set to zero, and AdamW without decay leaves them.\n\
                 K = {}\n\
                 matrices = {{name: p for name, p in base.named_parameters() if p.dim() == 2}}\n\
                 for p in matrices.values(): p.requires_grad_(True)\n\
                 {first}\
                 scores = {{name: {score} for name, p in matrices.items()}}\n\
                 least = torch.cat([s.flatten() for s in scores.values()]).topk(K).values[-1]\n\
                 for name, p in matrices.items(): p.register_hook(lambda g, m=(scores[name] >= least): g * m)\n\
                 {back}counted = K\n",
                m.num_weights
            )
        }
        MethodConfig::Pruning(m) => {
            let dense = method.get("schedule").as_deref() == Some("dense-sparse-dense");
            let shares: Vec<f64> = (0..m.rounds).map(|round| m.share(round)).collect();
            let when = match dense {
                true => format!("{{max(STEPS // 3, 1): {}, max(2 * STEPS // 3, 2): 0.0}}", m.sparsity as f64 / 100.0),
                false => format!("{{i * STEPS // {}: share for i, share in enumerate({shares:?})}}", m.rounds),
            };
            format!(
                "for p in base.parameters(): p.requires_grad_(True)\n\
                 linear = [p for name, p in base.named_parameters() if \".layers.\" in name and p.dim() == 2]\n\
                 masks = [torch.ones_like(p) for p in linear]\n\
                 for p, mask in zip(linear, masks): p.register_hook(lambda g, m=mask: g * m)\n\
                 due = {when}\n\
                 @torch.no_grad()\n\
                 def before_step(step):\n    \
                     if step not in due: return\n    \
                     optimizer.state.clear()  # the optimizer starts anew with each round\n    \
                     for p, mask in zip(linear, masks):\n        \
                         smallest = p.abs().flatten().argsort()[: int(due[step] * p.numel())]\n        \
                         mask.fill_(1.0); mask.view(-1)[smallest] = 0.0\n        \
                         p.mul_(mask)\n\
                 counted = {}\n",
                method.method().count(&config.shape()).total()
            )
        }
        MethodConfig::Subspace(m) => format!(
            "# θ + Pφ. P is dense here; `peft-lab` builds it as Fastfood's product too, which stores far less.\n\
             theta = dict(base.named_parameters())\n\
             phi = torch.nn.Parameter(torch.zeros({0}))\n\
             D = sum(p.numel() for p in theta.values())\n\
             P = {{name: torch.randn(p.numel(), {0}) / D ** 0.5 for name, p in theta.items()}}\n\
             extra.append(phi)\n\
             def apply(ids, mask):\n    \
                 moved = {{name: p + (P[name] @ phi).view_as(p) for name, p in theta.items()}}\n    \
                 return torch.func.functional_call(base, moved, (), dict(input_ids=ids, attention_mask=mask)).logits\n",
            m.intrinsic_dimension
        ),
        MethodConfig::Embeddings(Embeddings { .. })
        | MethodConfig::Full(_)
        | MethodConfig::LastLayer(_)
        | MethodConfig::AllButEmbeddings(_)
        | MethodConfig::BitFit(_)
        | MethodConfig::Layers(_) => copies(method.method(), config),
    }
}
