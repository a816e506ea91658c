import os
import subprocess
import unittest


class Link(unittest.TestCase):
    def test_up(self):
        self.assertTrue(os.path.exists("/sys/class/net/eth0"))

    def test_speed(self):
        self.assertGreater(94, 900)


if __name__ == "__main__":
    subprocess.check_call(["lava-sync", "linked"])
    role = subprocess.check_output(["lava-role"], text=True).strip()
    ok = True
    if role == "client":
        suite = unittest.defaultTestLoader.loadTestsFromTestCase(Link)
        ok = unittest.TextTestRunner().run(suite).wasSuccessful()
        subprocess.call(["lava-test-case", "link", "--result", "pass" if ok else "fail"])
    subprocess.check_call(["lava-sync", "tested"])
    raise SystemExit(0 if ok else 1)
