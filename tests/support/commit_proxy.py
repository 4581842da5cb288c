"""A proxy between daemon and PostgreSQL that loses the answer of a COMMIT: for every n-th, the connection is cut either
after the COMMIT was passed on or before. Listens on a unix socket beside the real one."""
import os
import shutil
import socket
import tempfile
import threading

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"


class CommitProxy:
    def __init__(self, postgres):
        self.target = f"{postgres.base}/.s.PGSQL.5432"
        self.directory = tempfile.mkdtemp(prefix="tributary-proxy.", dir="/tmp")
        os.chmod(self.directory, 0o755)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{self.directory}/.s.PGSQL.5432")
        self.listener.listen(64)
        self.lock, self.every, self.commits, self.cuts, self.most = threading.Lock(), 0, 0, 0, 0
        self.shuts, self.shut = False, False  # whether a cut shuts the door to new connections; and whether it is shut
        threading.Thread(target=self._accept, daemon=True).start()

    def conninfo(self, database):
        return f"host={self.directory} user=tributary dbname={database}"

    def cut_every(self, every, most):
        """From now on; at most so many, 0 stops it."""
        with self.lock:
            self.every, self.commits, self.most = every, 0, self.cuts + most

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.shut:
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self.target)
            except OSError:
                client.close()
                continue
            threading.Thread(target=self._forward, args=(client, server), daemon=True).start()
            threading.Thread(target=self._back, args=(server, client), daemon=True).start()

    def _decide(self):
        """None, or how the answer of this COMMIT is lost."""
        with self.lock:
            self.commits += 1
            if self.every == 0 or self.commits % self.every or self.cuts >= self.most:
                return None
            self.cuts += 1
            self.shut = self.shuts
            return "before" if self.cuts % 4 == 0 else "after"

    def _forward(self, client, server):
        try:
            while data := client.recv(65536):
                how = self._decide() if data.endswith(COMMIT) else None
                if how != "before":
                    server.sendall(data)
                if how:
                    break
        except OSError:
            pass
        self._cut(client, server)

    def _back(self, server, client):
        try:
            while data := server.recv(65536):
                client.sendall(data)
        except OSError:
            pass
        self._cut(client, server)

    @staticmethod
    def _cut(client, server):
        # The client hears nothing more; the server reads what was sent to it before it sees the end.
        for end, how in ((client, socket.SHUT_RDWR), (server, socket.SHUT_WR)):
            try:
                end.shutdown(how)
            except OSError:
                pass

    def close(self):
        self.listener.close()
        shutil.rmtree(self.directory, ignore_errors=True)
