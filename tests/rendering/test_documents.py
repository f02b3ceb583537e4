"""Whatever is wrong with a document is said at once, with its path and a mend."""

from __future__ import annotations

import pytest

from bot.errors import Invalid
from bot.rendering import text
from bot.rendering.documents import read
from playground.github.seed_files import PLATFORM as SEEDED
from tests.rendering.examples import CASES, DESIGN

HEAD = "apiVersion: platform.company.io/v1\nkind: WebService\nmetadata: {name: hello}\n"


def wrong(document: bytes | str) -> dict[str, str]:
    """Return path → sentence of every mistake."""
    with pytest.raises(Invalid) as refused:
        read(document)
    assert refused.value.mistakes
    return {mistake.path: mistake.message for mistake in refused.value.mistakes}


def wrong_spec(spec: str) -> dict[str, str]:
    return wrong(f"{HEAD}spec: {spec}\n")


@pytest.mark.parametrize("case", CASES)
def test_the_examples_are_right(case: str) -> None:
    assert len(read(CASES[case][0])) == 1


def test_the_playground_s_sample_services_are_right() -> None:
    assert read(SEEDED.format(name="orders-api", org="acme"))[0].name == "orders-api"


def test_what_is_read_is_written_again() -> None:
    (document,) = read(DESIGN)
    assert document.written() == {
        "apiVersion": "platform.company.io/v1",
        "kind": "WebService",
        "metadata": {"name": "user-api"},
        "spec": {
            "image": "user-api:latest",
            "replicas": 3,
            "ingress": {"host": "api.example.com"},
            "database": {"type": "postgresql", "size": "small"},
        },
    }


@pytest.mark.parametrize(
    "written",
    [
        DESIGN.encode(),
        b"\xef\xbb\xbf" + DESIGN.encode(),
        "\ufeff" + DESIGN,
        DESIGN.replace("\n", "\r\n"),
        "---\n" + DESIGN + "---\n",
        "# a comment\n" + DESIGN + "...\n",
    ],
)
def test_encodings_and_line_ends_make_no_difference(written: bytes | str) -> None:
    assert read(written) == read(DESIGN)


def test_several_documents_are_told_apart() -> None:
    second = DESIGN.replace("user-api", "orders-api")
    assert [document.name for document in read(f"{DESIGN}---\n{second}")] == ["user-api", "orders-api"]
    found = wrong(f"{DESIGN}---\n{second.replace('replicas: 3', 'replicas: three')}---\n{DESIGN}")
    assert set(found) == {"documents[1].spec.replicas", "documents[2].metadata.name"}


def test_anchors_and_merges_are_read() -> None:
    document = HEAD + (
        "spec:\n  image: a:b\n  env: &env {A: x}\n  environments:\n    staging: {env: {<<: *env, B: w}}\n"
    )
    (found,) = read(document)
    assert found.written()["spec"]["environments"] == {"staging": {"env": {"A": "x", "B": "w"}}}  # type: ignore[index,call-overload]


def test_all_mistakes_come_at_once() -> None:
    found = wrong_spec(
        "{image: A b, repicas: 2, replicas: two, ports: [{name: HTTP, port: 0}, 3], env: {PORT: 1, 9A: x}, "
        'ingress: {host: "https://x.example/y"}, schedule: "61 * * *", volumes: [{name: a, path: a, size: 1GB}], '
        "database: {type: oracle}, environments: {staging: {replicas: -1}}}"
    )
    assert set(found) == {
        *("spec.image", "spec.repicas", "spec.replicas", "spec.ports[0].name", "spec.ports[0].port", "spec.ports[1]"),
        *("spec.env.PORT", "spec.env.9A", "spec.ingress.host", "spec.schedule", "spec.volumes[0].path"),
        *("spec.volumes[0].size", "spec.database.type", "spec.environments.staging.replicas"),
    }
    assert found["spec.repicas"] == "is not a field; did you mean `replicas`?"
    assert found["spec.env.PORT"] == "is a number and must be a text; write it in quotes"


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("kind: WebServce", "kind: is not a kind; did you mean `WebService`?"),
        ("kind: webservice", "kind: is not a kind; did you mean `WebService`?"),
        ("kind:", "kind: is missing; write `kind: WebService`"),
    ],
)
def test_a_misspelt_kind_hides_no_other_mistake(head: str, told: str) -> None:
    text = f"apiVersion: platform.company.io/v1\n{head}\nmetadata: {{name: orders}}\nspec: {{replica: 2}}\n"
    with pytest.raises(Invalid) as wrong:
        read(text)
    assert list(map(str, wrong.value.mistakes)) == [told, "spec.replica: is not a field; did you mean `replicas`?"]


def test_a_document_of_another_kind_is_not_read_as_ours() -> None:
    text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: orders}\nspec: {template: {}}\n"
    with pytest.raises(Invalid) as wrong:
        read(text)
    assert list(map(str, wrong.value.mistakes)) == ["kind: must be `WebService`"]


def test_an_empty_part_is_as_good_as_a_missing_one() -> None:
    with pytest.raises(Invalid) as wrong:
        read("apiVersion: platform.company.io/v1\nkind: WebService\nmetadata: {name: orders}\nspec:\n")
    assert list(map(str, wrong.value.mistakes)) == ["spec: is missing; write at least `spec: {image: …}`"]


def test_contradictions_are_said_beside_other_mistakes() -> None:
    found = wrong_spec("{image: 3, replicas: 2, autoscaling: {min: 5, max: 2}, worker: true, ingress: {}}")
    assert set(found) == {"spec.image", "spec.replicas", "spec.autoscaling.max", "spec.ingress"}


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ("{replicas: true}", "spec.replicas"),
        ("{replicas: 2.5}", "spec.replicas"),
        ("{replicas: 1e9}", "spec.replicas"),
        ("{worker: 'true'}", "spec.worker"),
        ("{env: [A]}", "spec.env"),
        ("{env: {A: null}}", "spec.env.A"),
        ("{args: run}", "spec.args"),
        ("{image: ghcr.io/Acme/x}", "spec.image"),
        ("{image: 'x:y:z'}", "spec.image"),
        ("{ingress: {host: api.example.com:8080}}", "spec.ingress.host"),
        ("{ingress: {host: API.example.com}}", "spec.ingress.host"),
        ("{ingress: {host: a..b}}", "spec.ingress.host"),
        ("{ingress: {host: 10.0.0.1}}", "spec.ingress.host"),
        ("{ingress: {paths: []}}", "spec.ingress.paths"),
        ("{ingress: {paths: [api]}}", "spec.ingress.paths[0]"),
        ("{ingress: {paths: [/a/../b]}}", "spec.ingress.paths[0]"),
        ("{schedule: '0 0 * * 7'}", "spec.schedule"),
        ("{schedule: '@fortnightly'}", "spec.schedule"),
        ("{schedule: '*/0 * * * *'}", "spec.schedule"),
        ("{schedule: '5-1 * * * *'}", "spec.schedule"),
        ("{schedule: '0 3 * * *', job: {timeZone: Berlin}}", "spec.job.timeZone"),
        ("{schedule: '0 3 * * *', ports: [{name: a, port: 1}]}", "spec.ports"),
        ("{job: {retries: 1}}", "spec.job"),
        ("{egress: [{}]}", "spec.egress[0]"),
        ("{egress: [{cidr: 10.0.0.1/8}]}", "spec.egress[0]"),
        ("{egress: [{cidr: 10.0.0.1}]}", "spec.egress[0]"),
        ("{egress: [{cidr: 10.0.0.0/255.0.0.0}]}", "spec.egress[0]"),
        ("{ports: [{name: a--b, port: 1}]}", "spec.ports[0].name"),
        ("{ingress: {paths: [/a%2Fb]}}", "spec.ingress.paths[0]"),
        ('{env: {A: "\\0"}}', "spec.env.A"),
        ("{volumes: [{name: a, path: /a, size: 0Gi}]}", "spec.volumes[0].size"),
        ("{secrets: [{secret: a, key: b}]}", "spec.secrets[0]"),
        ("{secrets: [{secret: a, env: B}]}", "spec.secrets[0]"),
        ("{secrets: [{secret: a, key: b, env: C}], env: {C: x}}", "spec.secrets"),
        ("{database: {}, env: {DATABASE_URL: x}}", "spec.env.DATABASE_URL"),
        ("{probes: {port: grpc}}", "spec.probes.port"),
        ("{ports: [{name: a, port: 1}, {name: a, port: 2}]}", "spec.ports[1].name"),
        ("{ports: [{name: a, port: 1}, {name: b, port: 1}]}", "spec.ports[1].port"),
        ("{volumes: [{name: a, path: /a, persistent: true, size: 1Gi}]}", "spec.volumes[0]"),
        ("{replicas: 1, volumes: [{name: a, path: /a, persistent: true}]}", "spec.volumes[0]"),
        ("{volumes: [{name: a, path: /a}, {name: a, path: /b}]}", "spec.volumes"),
        ("{volumes: [{name: a, path: /}]}", "spec.volumes[0].path"),
        ("{volumes: [{name: a, path: /a, size: 10 GB}]}", "spec.volumes[0].size"),
        ("{environments: {staging: {autoscaling: {min: 3, max: 2}}}}", "spec.environments.staging.autoscaling.max"),
        ("{environments: {Prod: {}}}", "spec.environments.Prod"),
        ("[]", "spec"),
        ("", "spec"),
    ],
)
def test_each_mistake_has_its_path(spec: str, path: str) -> None:
    assert path in wrong_spec(spec)


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ("", ""),
        ("- a", ""),
        ("just text", ""),
        ("kind: WebService\nmetadata: {name: a}\nspec: {}", "apiVersion"),
        ("apiVersion: v1\nkind: WebService\nmetadata: {name: a}\nspec: {}", "apiVersion"),
        ("apiVersion: platform.company.io/v1\nkind: Webservice\nmetadata: {name: a}\nspec: {}", "kind"),
        ("apiVersion: platform.company.io/v1\nkind: WebService\nspec: {}", "metadata"),
        ("apiVersion: platform.company.io/v1\nkind: WebService\nmetadata: {name: a}", "spec"),
        (HEAD.replace("hello", "Hello") + "spec: {}", "metadata.name"),
        (HEAD.replace("hello", "a" * 46) + "spec: {}", "metadata.name"),
        (HEAD.replace("{name: hello}", "{name: a, labels: {app.kubernetes.io/name: b}}") + "spec: {}",
         "metadata.labels.app.kubernetes.io/name"),
        ("\tapiVersion: x", "line 1"),
        ("a: b: c", "line 1"),
        ("a: [", "line 2"),
        (b"a: \xff\xfe", "line 1"),
        ("a: \x00", "line 1"),
        ("a: &x [*x]", "line 1"),
        ("a: *nobody", "line 1"),
        ("? [a]\n: b", "line 1"),
        ("a: 1\na: 2", "a"),
        ("on: push", "on"),
        ("a: !!python/object:os.system x", "a"),
        ("a: yes", "a"),
        ("a: 0o17", "a"),
        ("a: 12:30:45", "a"),
        ("a: 1_000", "a"),
    ],
)  # fmt: skip
def test_text_that_is_no_document_is_refused_where_it_is_wrong(document: bytes | str, path: str) -> None:
    assert path in wrong(document)


def test_aliases_cannot_make_a_small_file_large() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for name, before in zip("bcdefghij", "abcdefghi", strict=True):
        bomb += f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    assert "aliases expanded" in next(iter(wrong(bomb).values()))


def test_depth_and_length_are_bounded() -> None:
    assert "levels deep" in wrong("a: " + "[" * 100_000)["line 1"]
    assert "larger than" in wrong("#" * (text.MAX_BYTES + 1))[""]
    assert "documents; split it" in next(iter(wrong("---\na: b\n" * 200).values()))


def test_a_secret_that_was_written_by_mistake_is_not_repeated() -> None:
    found = wrong_spec("{env: {TOKEN: 123456789, 'bad name': hunter2}, secrets: [hunter2]}")
    assert "hunter2" not in str(found)
    assert "123456789" not in str(found)


@pytest.mark.parametrize(
    ("line", "months", "day"),
    [
        ("0 0 30 2 *", "2", 30),
        ("0 0 31 4,6,9,11 *", "4,6,9,11", 31),
        ("0 0 31 feb/2 ?", "", 0),
        ("0 0 30,31 FEB *", "FEB", 30),
    ],
)
def test_a_schedule_that_is_never_due_is_told(line: str, months: str, day: int) -> None:
    if not months:  # February and every second month after it: August and October have 31 days
        assert len(read(f'{HEAD}spec: {{schedule: "{line}"}}\n')) == 1
        return
    told = wrong_spec(f'{{schedule: "{line}"}}')["spec.schedule"]
    assert told == f"is never due: no month of `{months}` has a day {day}"


@pytest.mark.parametrize(
    "line", ["0 0 29 2 *", "0 0 31 * *", "0 0 30 2 1", "0 0 30 2 */2", "0 0 */30 2 *", "0 0 31 1-3 *"]
)
def test_a_schedule_that_is_rarely_due_is_taken(line: str) -> None:
    assert len(read(f'{HEAD}spec: {{schedule: "{line}"}}\n')) == 1


def test_too_many_variables_are_counted_in_words() -> None:
    many = ", ".join(f"V{number}: x" for number in range(201))
    assert wrong_spec(f"{{env: {{{many}}}}}") == {"spec.env": "has more than 200 entries; 200 are the most"}


def test_a_reserved_label_is_told_beside_one_that_is_no_label() -> None:
    head = HEAD.replace("{name: hello}", "{name: hello, labels: {a/b/c: x, causeway.io/team: other}}")
    assert set(wrong(f"{head}spec: {{}}\n")) == {"metadata.labels.a/b/c", "metadata.labels.causeway.io/team"}
