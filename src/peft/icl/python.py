# Demonstrations: training examples with their answers, the same in front of every question; those that fit.
room, shots = model.config.max_position_embeddings - max(len(t) for t, _ in held_out), []
for t, n in (draw() for _ in range(1000)):
    shot = t[BEGINS:-n] + LABEL + AFTER
    if len(shots) < SHOTS and len(shot) <= room:
        shots.append(shot); room -= len(shot)
TEXT = sum(shots, [])
