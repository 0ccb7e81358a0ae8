using System.Text;
using Polymath.Hub;
using Xunit;

namespace Polymath.Tests.Hub;

/// <summary>A hub that lies, breaks off and never ends: always one clear error, and nothing of it is seen as a model.</summary>
public sealed class HostileHubTests : IDisposable
{
    private readonly FakeHub _hub = new();
    private readonly byte[] _model = FakeHub.Bytes(20_000);

    public HostileHubTests() => _hub.Files["it-Q4_0.gguf"] = _model;

    public static TheoryData<string> Names =>
    [
        "../it-Q4_0.gguf", "a/../../it-Q4_0.gguf", "/it-Q4_0.gguf", "//host/it-Q4_0.gguf", "..\\it-Q4_0.gguf", "C:\\it-Q4_0.gguf", "C:it-Q4_0.gguf",
        "./it-Q4_0.gguf", "a//it-Q4_0.gguf", "a/./it-Q4_0.gguf", "NUL.gguf", "con.gguf", "COM1.gguf", "com\u00b9.gguf", "a/AUX/it-Q4_0.gguf",
        "it\n-Q4_0.gguf", "it\u001b[2J-Q4_0.gguf", "it\u0000-Q4_0.gguf", "it\u202e-Q4_0.gguf", "it?-Q4_0.gguf", "it*-Q4_0.gguf", "it|-Q4_0.gguf",
        "it-Q4_0.gguf ", "it-Q4_0.gguf.", " it-Q4_0.gguf", "", ".", "..", new string('a', 300) + "-Q4_0.gguf",
        string.Concat(Enumerable.Repeat("a/", 20)) + "it-Q4_0.gguf",
    ];

    public void Dispose() => _hub.Dispose();

    [Theory]
    [MemberData(nameof(Names))]
    public void A_name_that_leaves_the_folder_or_means_something_to_a_system_is_never_stored(string name)
    {
        Assert.False(HubPath.IsSafe(name));
        _hub.OnHub = r => r.Path.StartsWith("/api/", StringComparison.Ordinal)
            ? WebAnswer.Text(200, $"[{FakeHub.Entry(name, _model)}]")
            : WebAnswer.Redirect($"http://localhost:{_hub.Storage.Port}/{FakeHub.Sha256(_model)}");
        Refused("me/it holds no model that can be used: no GGUF file, and no config.json with safetensors (1 files have names that cannot be stored)");
        Assert.Empty(_hub.Storage.Requests);
    }

    [Fact]
    public void A_name_that_is_no_Unicode_is_refused() => Assert.False(HubPath.IsSafe("\ud800-Q4_0.gguf"));

    [Theory]
    [InlineData("it-Q4_0.gguf")]
    [InlineData("a b/it (1)+é.gguf")]
    [InlineData("console.gguf")]
    [InlineData("COM10.gguf")]
    public void An_ordinary_name_is(string name) => Assert.True(HubPath.IsSafe(name));

    [Fact]
    public void A_bad_name_beside_a_good_model_does_no_harm()
    {
        _hub.OnHub = r => r.Path.StartsWith("/api/", StringComparison.Ordinal)
            ? WebAnswer.Text(200, $"[{FakeHub.Entry("../x-Q4_0.gguf", _model)},{FakeHub.Entry("it-Q4_0.gguf", _model)}]", ("X-Repo-Commit", FakeHub.Commit))
            : null;
        Assert.Equal(_model, File.ReadAllBytes(_hub.Pull().Path));
    }

    [Fact]
    public void Other_bytes_than_those_listed_are_not_kept()
    {
        _hub.OnStorage = _ => new WebAnswer(200, FakeHub.Bytes(20_000, seed: 9));
        Refused("came damaged: its hash is not the one listed");
        _hub.Files["config.json"] = "{}"u8.ToArray();
        _hub.Files["model.safetensors"] = "small"u8.ToArray();
        _hub.OnHub = r => r.Path.EndsWith("config.json", StringComparison.Ordinal) ? WebAnswer.Text(200, "[]") : null;
        Refused("config.json came damaged", "me/it:safetensors");
        Assert.Empty(Directory.GetFiles(Path.Combine(_hub.Folder, "blobs")));
        Assert.Empty(Directory.GetFiles(Path.Combine(_hub.Folder, "partial")));
    }

    [Theory]
    [InlineData(19_999)]
    [InlineData(20_001)]
    [InlineData(1L << 40)]
    public void Another_length_than_the_listed_one_is_seen_before_the_body(long claim)
    {
        _hub.OnStorage = _ => new WebAnswer(200, _model) { Claim = claim };
        Refused($"has {claim} bytes on localhost, not the 20000 listed");
    }

    [Fact]
    public void A_body_without_a_length_ends_at_the_listed_size()
    {
        _hub.OnStorage = _ => new WebAnswer(200, _model) { Claim = -1 };
        Assert.Equal(_model, File.ReadAllBytes(_hub.Pull().Path));
    }

    [Fact]
    public void Endless_bodies_end()
    {
        _hub.OnStorage = _ => new WebAnswer(200, _model) { Endless = true };
        Refused("is longer on localhost than the 20000 bytes listed");
        _hub.OnHub = _ => new WebAnswer(200, Encoding.UTF8.GetBytes(new string(' ', 1 << 20))) { Endless = true };
        Refused("the list of files that the hub sent is too long");
    }

    [Fact]
    public void A_body_that_always_breaks_at_the_same_byte_ends_in_an_error_and_is_kept_for_the_next_time()
    {
        _hub.OnStorage = r => _hub.Store(r) with { BreakAt = r.From == 0 ? 5000 : 0 };
        Refused("the connection broke; tried 5 times");
        Assert.Equal(1, _hub.Cache.Unfinished().Files);
    }

    [Theory]
    [InlineData("bytes 4999-19999/20000")]
    [InlineData("bytes 5000-19998/20000")]
    [InlineData("bytes 5000-19999/20001")]
    [InlineData("pages 5000-19999/20000")]
    [InlineData("")]
    public void Another_range_than_the_one_asked_for_is_not_taken(string range)
    {
        int calls = 0;
        _hub.OnStorage = r => ++calls == 1 ? _hub.Store(r) with { BreakAt = 5000 }
            : r.From > 0 ? new WebAnswer(206, _model[5000..], range.Length > 0 ? [("Content-Range", range)] : [])
            : _hub.Store(r);
        Assert.Equal(_model, File.ReadAllBytes(_hub.Pull().Path));
        Assert.Equal(3, calls);   // broke off, refused, whole
    }

    [Fact]
    public void Redirects_and_pages_that_go_in_circles_or_nowhere_end()
    {
        _hub.OnStorage = r => WebAnswer.Redirect($"http://localhost:{_hub.Storage.Port}/{Guid.NewGuid()}");
        Refused("redirects without end");
        _hub.OnStorage = r => WebAnswer.Redirect("file:///etc/passwd");
        Refused("redirects to nowhere");
        _hub.OnStorage = r => new WebAnswer(302, []);
        Refused("redirects to nowhere");
        _hub.OnHub = r => WebAnswer.Text(200, "[]", ("Link", $"<{_hub.Hub.Address}api/loop>; rel=\"next\""));
        Refused("does not end");
        int page = 0;
        _hub.OnHub = r => WebAnswer.Text(200, "[]", ("Link", $"<{_hub.Hub.Address}api/{page++}>; rel=\"next\""));
        Refused("does not end");
        Assert.InRange(page, 100, 250);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("[{}]")]
    [InlineData("[{\"type\":\"file\"}]")]
    [InlineData("[{\"type\":\"file\",\"path\":\"a.gguf\",\"size\":1,\"oid\":\"xyz\"}]")]
    [InlineData("[{\"type\":\"file\",\"path\":\"a.gguf\",\"size\":-1,\"oid\":\"0123456789012345678901234567890123456789\"}]")]
    [InlineData("[{\"type\":\"file\",\"path\":\"a.gguf\",\"size\":1e30,\"oid\":\"0123456789012345678901234567890123456789\"}]")]
    [InlineData("[{\"type\":\"file\",\"path\":\"a.gguf\",\"path\":\"b.gguf\",\"size\":1,\"oid\":\"0123456789012345678901234567890123456789\"}]")]
    [InlineData("[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]")]
    public void A_list_that_is_none_is_refused(string json)
    {
        _hub.OnHub = _ => WebAnswer.Text(200, json);
        Refused("me/it: the list of files that the hub sent is not usable");
    }

    [Fact]
    public void A_huge_list_on_many_pages_is_read_and_one_beyond_the_limit_refused()
    {
        byte[] small = "x"u8.ToArray();
        int pages = 0;
        _hub.OnHub = r =>
        {
            if (!r.Path.StartsWith("/api/", StringComparison.Ordinal))
                return null;
            int page = pages++;
            string files = string.Join(',', Enumerable.Range(0, 1000).Select(i => FakeHub.Entry($"{page}/{i}.txt", small)));
            bool last = page == 50;
            return WebAnswer.Text(
                200, last ? FakeHub.Listing(_hub.Files) : $"[{files}]",
                last ? [("X-Repo-Commit", FakeHub.Commit)] : [("Link", $"<{_hub.Hub.Address}api/{page}>; rel=\"next\"")]);
        };
        Assert.Equal(_model, File.ReadAllBytes(_hub.Pull().Path));
        _hub.Cache.Remove(ModelName.Parse("me/it"));
        pages = 60;   // never the last one
        Refused("more than 100000 files");
    }

    [Fact]
    public void A_repository_that_changes_under_the_download_is_an_error()
    {
        _hub.OnHub = r => r.Path.Contains("/resolve/", StringComparison.Ordinal)
            ? WebAnswer.Redirect($"http://localhost:{_hub.Storage.Port}/x", ("X-Linked-ETag", $"\"{new string('0', 64)}\""))
            : null;
        _hub.OnStorage = _ => new WebAnswer(200, _model);
        Refused("was changed on the hub meanwhile");
    }

    [Theory]
    [InlineData("HF_ENDPOINT", "ftp://host")]
    [InlineData("HF_ENDPOINT", "http://user:password@host")]
    [InlineData("HF_ENDPOINT", "huggingface.co")]
    [InlineData("HF_TOKEN", "hf_secret\r\nX-Other: 1")]
    [InlineData("HF_TOKEN", "hf_secret é")]
    public void Settings_that_make_no_sense_are_refused_without_being_repeated(string name, string value)
    {
        HubException e = Assert.Throws<HubException>(() => HubOptions.FromEnvironment(n => n == name ? value : null));
        Assert.Contains(name, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", e.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("password", e.ToString(), StringComparison.Ordinal);
    }

    private void Refused(string message, string name = FakeHub.Repository)
    {
        HubException e = Assert.Throws<HubException>(() => _hub.Pull(name));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.Empty(_hub.Cache.List());
        Assert.Equal([Path.GetFileName(_hub.Folder)], Directory.GetFileSystemEntries(Path.GetDirectoryName(_hub.Folder)!).Select(Path.GetFileName));
    }
}
