"""imbalanced-learn's method on one core: scikit-learn's NearestNeighbors on the rarer class, then numpy's interpolation.

OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 taskset -c 0 python3 bench/peers/smote.py ROWS.f32 COLUMNS POSITIVE_SHARE
"""

import resource
import sys
import time

import numpy as np
from sklearn.neighbors import NearestNeighbors

K = 5


def smote(x, y, generator):
    rare = x[y == 1]
    count = int((y == 0).sum() - len(rare))
    neighbors = NearestNeighbors(n_neighbors=K + 1, n_jobs=1).fit(rare).kneighbors(rare, return_distance=False)[:, 1:]
    base = generator.integers(0, len(rare), count)
    other = neighbors[base, generator.integers(0, K, count)]
    step = generator.uniform(size=(count, 1)).astype(x.dtype)
    made = rare[base] + step * (rare[other] - rare[base])
    return np.vstack([x, made]), np.concatenate([y, np.ones(count, y.dtype)])


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


columns, share = int(sys.argv[2]), float(sys.argv[3])
x = np.fromfile(sys.argv[1], np.float32).reshape(-1, columns)
y = (np.arange(len(x)) % round(1 / share) == 0).astype(np.int64)
before = peak()
times = []
for seed in range(3):
    began = time.perf_counter()
    made, _ = smote(x, y, np.random.default_rng(seed))
    times.append(time.perf_counter() - began)
seconds = ", ".join(f"{t:.2f}" for t in times)
print(f"scikit-learn and numpy, one core: {x.shape[0]} x {columns} -> {len(made)} rows; {seconds} s; peak {peak():.0f} MB ({before:.0f} before)")
