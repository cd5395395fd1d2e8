"""`[images]`: the settings of an only model, or several models by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import InputError
from features.groups.images import IMAGE
from uglyduck.run.config import Config, input_paths, load_config, write_config
from uglyduck.run.image_config import ImageModelConfig

DATA = '[data]\nmetadata = "x.csv"\nimages = "crops.hdf5"\n'


def load(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "run.toml"
    path.write_text(text)
    return load_config(path)


@pytest.mark.parametrize(
    ("plain", "named"),
    [
        ("[images]\nclahe = true", "[images.descriptors]\nclahe = true"),
        (
            '[images]\nmodel = "tiny"\nepochs = 3\nweights = "first.npz"',
            '[images.tiny]\npreset = "tiny"\nset = { epochs = 3 }\nweights = "first.npz"',
        ),
        (
            '[images]\nbackbone = "resnet18.a1_in1k"\nset = { size = 96 }',
            '[images.resnet18_a1_in1k]\nbackbone = "resnet18.a1_in1k"\nset = { size = 96 }',
        ),
        ("[images]", ""),
    ],
)
def test_the_settings_of_an_only_model_need_no_name(tmp_path: Path, plain: str, named: str) -> None:
    config = load(tmp_path, DATA + plain)
    assert config == load(tmp_path, DATA + named)
    assert len(config.image_models) == 1


def test_models_keep_their_order_and_their_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    text = '[images.zebra]\npreset = "tiny"\nweights = "w.npz"\n[images.descriptors]\n[images.older]\nmodel = "older"\n'
    text += '[images.zebra.extra.y2020]\nmetadata = "y.csv"\nimages = "y"\njoin = ["z.csv"]\n'
    config = load(tmp_path, DATA + text)
    assert list(config.image_models) == ["zebra", "descriptors", "older"]
    place = tmp_path.resolve()
    assert config.images["older"] == ImageModelConfig(model=place / "older")
    assert input_paths(config) == {
        "metadata": place / "x.csv",
        "images": place / "crops.hdf5",
        "images.zebra.weights": place / "w.npz",
        "images.older.model": place / "older",
        "images.zebra.extra.y2020.metadata": place / "y.csv",
        "images.zebra.extra.y2020.images": place / "y",
        "images.zebra.extra.y2020.join[0]": place / "z.csv",
    }
    write_config(config, tmp_path / "resolved.toml")
    read = load_config(tmp_path / "resolved.toml")
    assert read == config
    assert list(read.images) == list(config.images)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (DATA + "[images]\nsed = 1", r"images.descriptors.sed: unknown key 'sed'. did you mean 'seed'"),
        (DATA + "[images.a]\nsed = 1", r"images.a.sed: unknown key 'sed'. did you mean 'seed'"),
        (DATA + "[images]\nset = 3", r"images.descriptors.set: .*valid dictionary"),
        (DATA + "[images]\nseed = 1\n[images.b]", r"run.toml, images: settings of one model and the model 'b'. give"),
        ('[data]\nmetadata = "x"\n[images.b]', r"run.toml, images: image models without crops. give"),
        ('[data]\nmetadata = "x"\n[images]\nseed = 3', r"run.toml, images: image models without crops. give"),
        ("images = 3\n" + DATA.replace("images =", "truth ="), r"run.toml, images: .*valid dictionary"),
        (DATA + '[images.a]\nmodel = "x"\nseed = 1', r"images.a: .*only applied: seed changes nothing. leave seed out"),
        (DATA + "[images.A]", r"images.A: not a name for an image model"),
        (
            DATA + '[images.a.extra."x:y"]\nmetadata = "y"\nimages = "y"',
            r"images.a.extra.x:y: not a name for a table",
        ),
        (
            DATA + '[images.a]\nmodel = "x"\n[images.a.extra.b]\nmetadata = "y"\nimages = "y"',
            r"images.a: .*only applied: extra changes nothing",
        ),
        (DATA + '[images.a.extra.b]\nmetadata = "y"', r"images.a.extra.b.images: "),
        (DATA + "[images.target]", r"images.target: not a name"),
        (DATA + "[images.score]", r"images.score: not a name"),
        (DATA + "[images.a_fold0]", r"images.a_fold0: not a name"),
        (DATA + "[images.embedding_of_a]", r"images.embedding_of_a: not a name"),
    ],
)
def test_a_mistake_names_the_place_and_the_remedy(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(tmp_path, text)


def test_a_name_that_would_be_a_feature_of_another_model_is_refused(tmp_path: Path) -> None:
    columns = ("image:a", "embedding:embedding_of_a")
    endings = [spec.name.removeprefix("image_a_") for spec in IMAGE.describe(columns) if spec.name != "image_a"]
    assert len(endings) > 5
    for ending in endings:
        with pytest.raises(InputError, match="not a name for an image model"):
            load(tmp_path, f"{DATA}[images.a_{ending}]")
