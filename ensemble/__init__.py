"""LightGBM, XGBoost and CatBoost by patient fold: sampling, out-of-fold scores, blending. Knows nothing of pixels."""
