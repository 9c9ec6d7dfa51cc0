"""What deploy/monitoring asks for is what RuntimeManager gives."""

import json
import re
import shutil
import subprocess

import pytest
import yaml

from .readme import ROOT, code, rows

MONITORING = ROOT / "deploy" / "monitoring"
DASHBOARD = json.loads((MONITORING / "dashboard.json").read_text())
RULES = [rule for group in yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
#: What Prometheus and the scrape configuration add to each series.
ADDED = {"job", "node"}


def queries():
    """Each query of the dashboard and of the alerts, with where it is."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", []):
            yield f"panel {panel['title']}", target["expr"]
    for rule in RULES:
        yield f"alert {rule['alert']}", rule["expr"]


def metrics():
    """The labels of each series, by its name, as README.md has them; those that a histogram has of its own included."""
    known = {"up": set()}
    for name, kind, labels, *_ in rows(["metric", "type", "labels"]):
        (name,) = code(name)
        known[name] = set(code(labels))
        if kind == "histogram":
            known |= {f"{name}_{part}": known[name] for part in ("count", "sum")}
            known[f"{name}_bucket"] = known.pop(name) | {"le"}
    return known


def asked(query):
    """The series that a query selects, each with the labels that it asks of it; and the labels that are named beside them."""
    plain = re.sub(r'"[^"]*"', '""', query)
    selected = []
    for name, matchers in re.findall(r"\b(up|runtime_manager_\w+)(\{[^}]*\})?", plain):
        selected.append((name, set(re.findall(r"(\w+)\s*(?:=~|!=|!~|=)", matchers))))
    grouped = {label for group in re.findall(r"\b(?:by|without)\s*\(([^)]*)\)", plain) for label in re.findall(r"\w+", group)}
    return selected, grouped


@pytest.mark.parametrize("where, query", queries())
def test_every_query_names_metrics_and_labels_that_exist(where, query):
    known = metrics()
    selected, grouped = asked(query)
    assert selected, query
    for name, labels in selected:
        assert name in known, name
        assert labels <= known[name] | ADDED, (name, labels)
        assert grouped <= known[name] | ADDED, (name, grouped)


def test_every_metric_is_shown_somewhere():
    shown = {name.removesuffix("_bucket") for _, query in queries() for name, _ in asked(query)[0]}
    families = {code(cells[0])[0] for cells in rows(["metric", "type", "labels"])}
    assert families <= shown


def test_the_variables_of_the_dashboard_are_labels_that_exist():
    known = metrics()
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            name, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["definition"]).groups()
            assert label in known[name] | ADDED
            assert variable["query"]["query"] == variable["definition"]
    used = {name for _, query in queries() for name in re.findall(r"\$(\w+)", query)} - {"__rate_interval", "labels", "value"}
    assert used <= {variable["name"] for variable in DASHBOARD["templating"]["list"]}


def test_no_two_panels_are_in_one_place():
    cells = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        mine = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24 and not mine & cells, panel["title"]
        cells |= mine
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_prometheus_asks_where_the_units_drop_in_has_it_listen(tmp_path):
    port = re.search(r"RUNTIME_MANAGER_METRICS_PORT=(\d+)", (MONITORING / "10-metrics.conf").read_text())[1]
    jobs = yaml.safe_load((MONITORING / "prometheus.yml").read_text())["scrape_configs"]
    assert [job["static_configs"] for job in jobs] == [[{"targets": [f"127.0.0.1:{port}"]}]]
    assert [job["job_name"] for job in jobs] == ["runtime-manager"]


def test_systemd_takes_the_drop_in(tmp_path):
    unit = re.sub(r"/usr/(?:local/)?bin/runtime-manager", "/bin/true", (ROOT / "deploy/runtime-manager.service").read_text())
    (tmp_path / "runtime-manager.service").write_text(unit)
    (tmp_path / "runtime-manager.service.d").mkdir()
    shutil.copy(MONITORING / "10-metrics.conf", tmp_path / "runtime-manager.service.d")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "runtime-manager.service")], capture_output=True, text=True,
        env={"PATH": "/usr/bin:/bin", "SYSTEMD_UNIT_PATH": f"{tmp_path}:"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def promtool(*arguments, directory=MONITORING):
    done = subprocess.run(["promtool", *arguments], cwd=directory, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_configuration_and_rules():
    promtool("check", "config", "prometheus.yml")
    promtool("check", "rules", "--lint-fatal", "alerts.yml")


def test_prometheus_takes_every_query_of_the_dashboard(tmp_path):
    rules = [{"record": f"query_{number}", "expr": re.sub(r"\$__rate_interval", "1m", query)} for number, (_, query) in enumerate(queries())]
    (tmp_path / "queries.yml").write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    promtool("check", "rules", "--lint", "none", "queries.yml", directory=tmp_path)


def test_each_alert_fires_when_it_should_and_not_before(tmp_path):
    for file in (MONITORING / "alerts.yml", ROOT / "Tests/Documentation/alerts_test.yml"):
        shutil.copy(file, tmp_path)
    promtool("test", "rules", "alerts_test.yml", directory=tmp_path)
    tested = re.findall(r"alertname: (\w+)", (tmp_path / "alerts_test.yml").read_text())
    assert set(tested) == {rule["alert"] for rule in RULES}


def test_each_alert_says_how_bad_it_is_and_what_to_do():
    for rule in RULES:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert set(rule["annotations"]) == {"summary", "description"}
