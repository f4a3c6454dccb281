"""Writes combat.json: what neuroCombat makes of made-up rows of three sites.

    python combat.py        # seed 15, numpy 2.4, neuroCombat 0.2.12
"""

import json
import pathlib
import sys

import numpy as np
import pandas as pd
from neuroCombat import neuroCombat

# Its estimates stop at a change of 1e-4; ours go on, so let it.
sys.modules["neuroCombat.neuroCombat"].it_sol.__defaults__ = (1e-12,)

rng = np.random.default_rng(15)
ROWS, COLUMNS = 24, 6
sites = np.array([0] * 7 + [1] * 8 + [2] * 9)
age = np.round(50 + 10 * rng.normal(size=ROWS) + 5 * sites, 3)
sex = (rng.random(ROWS) < 0.5).astype(float)
x = rng.normal(size=(ROWS, COLUMNS)) * (1 + 0.5 * sites[:, None])
x = np.round(x + 0.05 * age[:, None] + sites[:, None] * rng.normal(size=COLUMNS), 4)
table = pd.DataFrame({"site": sites, "age": age, "sex": sex})


def harmonised(**covariates):
    found = neuroCombat(dat=x.T, covars=table, batch_col="site", **covariates)
    return found["data"].T.ravel().tolist()


path = pathlib.Path(__file__).with_name("combat.json")
golden = {
    "sites": sites.tolist(),
    "covariates": np.column_stack([age, sex]).ravel().tolist(),
    "x": x.ravel().tolist(),
    "plain": harmonised(),
    "preserving": harmonised(continuous_cols=["age", "sex"]),
}
path.write_text(json.dumps(golden) + "\n")
