"""LightGBM, XGBoost and CatBoost by patient fold: sampling, out-of-fold scores, blends. Knows nothing about pixels."""
