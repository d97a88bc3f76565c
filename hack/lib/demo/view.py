"""The live view of a rollout: redrawn on a terminal, plain lines of what changed elsewhere."""
import shutil
import sys



class View:
    def __init__(self, title):
        self.title = title
        self.live = sys.stdout.isatty()
        self.drawn = 0
        self.said = set()

    def paint(self, text, colour):
        return f"\033[{colour}m{text}\033[0m" if self.live else text

    def update(self, rollout):
        status = rollout.get("status", {})
        if self.live:
            self._redraw(self._lines(rollout["metadata"]["name"], status))
        else:
            self._say(status)

    def _redraw(self, lines):
        width = shutil.get_terminal_size().columns
        if self.drawn:
            sys.stdout.write(f"\033[{self.drawn}A\033[J")
        for line in lines:
            sys.stdout.write(line + "\n")
        self.drawn = sum(1 + max(0, len(strip(line)) - 1) // width for line in lines)
        sys.stdout.flush()

    def _lines(self, name, status):
        lines = ["", self.paint(self.title, "1"), f"  PatchRollout {name}: {status.get('summary', 'planning')}", ""]
        for wave in status.get("waves", []):
            total, patched, failed = wave.get("total", 0), wave.get("patched", 0), wave.get("failed", 0)
            working = sum(1 for a in status.get("active", []) if a.get("wave") == wave["name"] and not a.get("reason"))
            bar = self.paint("■" * patched, "32") + self.paint("✗" * failed, "31") + self.paint("▣" * working, "36")
            bar += self.paint("·" * max(0, total - patched - failed - working), "90")
            lines.append(f"  {wave['name']:<8} {wave['state']:<8} {patched:>2}/{total:<3} {bar}")
        lines.append("")
        for active in status.get("active", [])[:8]:
            lines.append(f"  {active['node']:<10} {active['step']:<12} {self.paint(reason_of(active), '33')}")
        return lines

    def _say(self, status):
        for wave in status.get("waves", []):
            self._once(f"wave {wave['name']}: {wave['state']} ({wave.get('total', 0)} nodes)", (wave["name"], wave["state"]))
        for active in status.get("active", []):
            blocked = active.get("blockedBy")
            self._once(f"  {active['node']} {active['step']} {reason_of(active)}".rstrip(), (active["node"], active["step"], bool(blocked)))

    def _once(self, line, key):
        if key not in self.said:
            self.said.add(key)
            print(line, flush=True)


def strip(line):
    out, inside = [], False
    for char in line:
        if char == "\033":
            inside = True
        elif not inside:
            out.append(char)
        elif char == "m":
            inside = False
    return "".join(out)


def reason_of(active):
    blocked = active.get("blockedBy")
    if blocked:
        return f"waits for {blocked.get('kind')} {blocked.get('namespace', '')}/{blocked.get('name', '')} (pod {blocked.get('pod', '')})"
    return f"{active['reason']}: {active.get('message', '')}".splitlines()[0][:90] if active.get("reason") else ""
