# Demonstrations: training examples with their answers, the same in front of every question.
shots = [t[BEGINS:-n] + LABEL + AFTER for t, n in (draw() for _ in range(SHOTS))]
TEXT = sum(shots, [])
