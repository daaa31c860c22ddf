import Testing

@testable import Checkpoints

@Suite struct SHA256Tests {
    @Test(
        "the published digests of FIPS 180-4, whole and in pieces",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func published(text: String, digest: String) {
        var whole = SHA256()
        whole.update(text)
        #expect(whole.finish() == digest)
        var pieces = SHA256()
        for character in text { pieces.update(String(character)) }
        #expect(pieces.finish() == digest)
    }

    @Test("a million letters a")
    func million() {
        var hash = SHA256()
        for _ in 0..<1000 { hash.update(String(repeating: "a", count: 1000)) }
        #expect(hash.finish() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }
}
