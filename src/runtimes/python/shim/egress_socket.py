"""What `socket` becomes in a box: see egress.py. Loaded when user code imports `socket`, and only then."""

NO_NETWORK = "no network: this function runs with EGRESS=none"
# A connect that must not block still waits for the gate's answer, but not for ever; the gate itself gives up before.
NON_BLOCKING_WAIT_S = 30
ANSWER_MAX_BYTES = 8192


def connect_through_gate(module, gate_path):
    """Replaces what `socket` has for TCP and for names."""
    import errno

    inet = module.AF_INET, module.AF_INET6
    plain_socket = module.socket

    class socket(plain_socket):
        __doc__ = plain_socket.__doc__
        __module__ = module.__name__
        __qualname__ = "socket"
        __slots__ = ("_inet_family", "_peer")

        def __init__(self, family=-1, type=-1, proto=-1, fileno=None):
            self._inet_family = None
            self._peer = "0.0.0.0", 0
            if fileno is not None and family in inet:
                super().__init__(fileno=fileno)  # family and type as the kernel knows them
            elif family in (-1, *inet) and (type == -1 or type & ~FLAGS == module.SOCK_STREAM) and fileno is None:
                super().__init__(module.AF_UNIX, type)
                family = inet[0] if family == -1 else family
            else:
                super().__init__(family, type, proto, fileno)
            if family in inet and super().family == module.AF_UNIX:
                self._inet_family = module.AddressFamily(family)

        @property
        def family(self):
            return super().family if self._inet_family is None else self._inet_family

        def connect(self, address):
            if self._inet_family is None:
                return super().connect(address)
            host, port = address[0], address[1]
            before = self.gettimeout()
            self.settimeout(NON_BLOCKING_WAIT_S if before == 0 else before)
            try:
                self._ask_gate(host, port)
            finally:
                if self.fileno() >= 0:
                    self.settimeout(before)
            self._peer = host, port

        def connect_ex(self, address):
            if self._inet_family is None:
                return super().connect_ex(address)
            try:
                self.connect(address)
            except OSError as error:
                return error.errno or errno.EHOSTUNREACH
            return 0

        def _ask_gate(self, host, port):
            host = text_of(host)
            if any(character.isspace() for character in host):
                raise OSError(errno.EINVAL, "egress failed: that is no host name and no address")
            target = "%s:%d" % ("[%s]" % host if ":" in host else host, port)
            try:
                super().connect(gate_path)
            except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError, PermissionError):
                raise PermissionError(errno.EACCES, NO_NETWORK) from None
            super().sendall(("CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n" % (target, target)).encode())
            answer = b""
            while not answer.endswith(b"\r\n\r\n"):
                byte = super().recv(1)  # not one byte more: what follows is the target's
                answer += byte
                if not byte or len(answer) > ANSWER_MAX_BYTES:
                    raise ConnectionResetError(errno.ECONNRESET, "egress failed: the gate closed the connection")
            if not answer.startswith(b"HTTP/1.1 200 "):
                raise error_of(answer.decode("latin-1"))

        def bind(self, address):
            if self._inet_family is not None:
                raise PermissionError(errno.EACCES, "a function cannot take connections or choose its own address")
            return super().bind(address)

        def getpeername(self):
            path = super().getpeername()  # raises where nothing is connected
            return path if self._inet_family is None else self._peer

        def getsockname(self):
            return super().getsockname() if self._inet_family is None else ("0.0.0.0", 0)

        def setsockopt(self, level, *rest):
            if self._inet_family is None or level == module.SOL_SOCKET:
                return super().setsockopt(level, *rest)
            return None  # what TCP or IP shall do is the gate's to decide

        def getsockopt(self, level, name, *length):
            if self._inet_family is None or level == module.SOL_SOCKET:
                return super().getsockopt(level, name, *length)
            return bytes(*length) if length else 0

    FLAGS = getattr(module, "SOCK_NONBLOCK", 0) | getattr(module, "SOCK_CLOEXEC", 0)

    def error_of(answer):
        text = next((line[16:] for line in answer.split("\r\n") if line.lower().startswith("x-egress-error: ")), "egress failed")
        if text.startswith("egress denied"):
            return PermissionError(errno.EACCES, text)
        if "could not be resolved" in text:
            return module.gaierror(module.EAI_NONAME, text)
        # OSError makes the subclass that belongs to the number: ConnectionRefusedError, TimeoutError.
        return OSError(getattr(errno, text.rpartition("(")[2].rstrip(")"), errno.EHOSTUNREACH), text)

    def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
        """The name itself in place of its addresses: the gate resolves it, once."""
        if type not in (0, module.SOCK_STREAM) or family not in (0, *inet):
            raise module.gaierror(module.EAI_FAMILY, "only TCP leaves a sandbox")
        host = "localhost" if host is None else text_of(host)
        family = module.AddressFamily(family or inet[":" in host])
        address = (host, port_of(port)) if family == module.AF_INET else (host, port_of(port), 0, 0)
        return [(family, module.SocketKind(module.SOCK_STREAM), module.IPPROTO_TCP, "", address)]

    def port_of(port):
        port = text_of(port) if isinstance(port, (str, bytes)) else port or 0
        number = {"http": 80, "https": 443}.get(port, port)
        try:
            return int(number)
        except ValueError:
            raise module.gaierror(module.EAI_SERVICE, "unknown service %s" % port) from None

    def gethostbyname(hostname):
        return text_of(hostname)

    def gethostbyname_ex(hostname):
        return text_of(hostname), [], [text_of(hostname)]

    def text_of(name):
        return name.decode() if isinstance(name, (bytes, bytearray)) else str(name)

    for replacement in (socket, getaddrinfo, gethostbyname, gethostbyname_ex):
        replacement.__module__ = module.__name__
        setattr(module, replacement.__name__, replacement)
