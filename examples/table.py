"""scikit-learn estimators on a table with text, missing cells and all."""

import pandas as pd
from sklearn.model_selection import train_test_split

from slalom import Classifier

penguins = pd.read_csv("examples/penguins.csv")
X, y = penguins.drop(columns="species"), penguins["species"]
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=y)

model = Classifier(epochs=20).fit(X_train, y_train)
print(f"{model.score(X_test, y_test):.3f} of {len(y_test)} penguins")
print(model.schema_.summary().to_string(index=False))
model.predictor_.save("penguins.slalom")
