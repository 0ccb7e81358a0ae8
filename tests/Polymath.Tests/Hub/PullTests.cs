using System.Globalization;
using Polymath.Hub;
using Xunit;

namespace Polymath.Tests.Hub;

public sealed class PullTests : IDisposable
{
    private readonly FakeHub _hub = new();
    private readonly byte[] _model = FakeHub.Bytes(300_000);

    public PullTests()
    {
        _hub.Files["it-Q4_0.gguf"] = _model;
        _hub.Files["README.md"] = "about it"u8.ToArray();
    }

    public void Dispose() => _hub.Dispose();

    [Fact]
    public void A_model_comes_whole_under_its_own_name_and_is_listed()
    {
        var seen = new List<PullProgress>();
        CachedModel model = _hub.Pull(progress: seen.Add);
        Assert.Equal(_model, File.ReadAllBytes(model.Path));
        Assert.Equal("it-Q4_0.gguf", Path.GetFileName(model.Path));
        Assert.Equal(("me/it:Q4_0", 300_000L, 1, FakeHub.Commit), (model.Name, model.Size, model.Files, model.Commit));
        Assert.Equal(model, Assert.Single(_hub.Cache.List()));
        Assert.Equal(300_000, seen[^1].Done);
        Assert.All(seen.Zip(seen.Skip(1)), pair => Assert.True(pair.First.Done <= pair.Second.Done && pair.Second.Total == 300_000));
        Assert.Equal((0, 0L), _hub.Cache.Unfinished());
    }

    [Fact]
    public void The_token_goes_to_the_endpoint_and_to_no_other_host_or_port()
    {
        _hub.Pull();
        Assert.All(_hub.Hub.Requests, r => Assert.Equal($"Bearer {FakeHub.Token}", r.Header("Authorization")));
        Assert.NotEmpty(_hub.Storage.Requests);
        Assert.All(_hub.Storage.Requests, r => Assert.Null(r.Header("Authorization")));
        Assert.DoesNotContain(_hub.Said, line => line.Contains(FakeHub.Token, StringComparison.Ordinal));
    }

    [Fact]
    public void A_token_does_not_follow_a_redirect_or_a_page_to_another_port_of_the_same_host()
    {
        _hub.OnStorage = r => r.Path == "/page" ? WebAnswer.Text(200, FakeHub.Listing(_hub.Files)) : _hub.Store(r);
        _hub.OnHub = r => r.Path.StartsWith("/api/", StringComparison.Ordinal)
            ? WebAnswer.Text(200, "[]", ("X-Repo-Commit", FakeHub.Commit), ("Link", $"<http://127.0.0.1:{_hub.Storage.Port}/page>; rel=\"next\""))
            : WebAnswer.Redirect($"http://127.0.0.1:{_hub.Storage.Port}/{FakeHub.Sha256(_model)}");
        _hub.Pull();
        Assert.Equal(2, _hub.Storage.Requests.Count);
        Assert.All(_hub.Storage.Requests, r => Assert.Null(r.Header("Authorization")));
    }

    [Fact]
    public void What_is_there_is_not_downloaded_again()
    {
        CachedModel first = _hub.Pull();
        Assert.Equal(first.Path, _hub.Pull("ME/IT:q4_0").Path);   // names are the same in any case
        Assert.Single(_hub.Storage.Requests);
        Assert.Single(_hub.Cache.List());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_connection_that_breaks_half_way_is_gone_on_from_there_where_the_server_can(bool ranges)
    {
        int calls = 0;
        _hub.OnStorage = r => ++calls == 1 ? _hub.Store(r) with { BreakAt = 150_000 }
            : ranges ? _hub.Store(r)
            : new WebAnswer(200, _model);
        Assert.Equal(_model, File.ReadAllBytes(_hub.Pull().Path));
        WebRequest second = _hub.Storage.Requests.ElementAt(1);
        Assert.Equal("bytes=150000-", second.Header("Range"));
        Assert.Equal($"\"{FakeHub.Sha256(_model)[..16]}\"", second.Header("If-Range"));
    }

    [Fact]
    public void Another_run_goes_on_where_the_last_one_ended()
    {
        _hub.OnStorage = r => _hub.Store(r) with { BreakAt = 100_000 };
        using var stop = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => _hub.PullAsync(
            progress: p => { if (p.Done >= 100_000) stop.Cancel(); }, cancellation: stop.Token).GetAwaiter().GetResult());
        Assert.Empty(_hub.Cache.List());
        Assert.Equal((1, true), (_hub.Cache.Unfinished().Files, _hub.Cache.Unfinished().Bytes >= 100_000));

        _hub.OnStorage = null;
        Assert.Equal(_model, File.ReadAllBytes(_hub.Pull().Path));
        Assert.Equal("bytes=100000-", _hub.Storage.Requests.Last().Header("Range"));
        Assert.Equal((0, 0L), _hub.Cache.Unfinished());
    }

    [Fact]
    public void A_file_that_changed_on_the_storage_is_not_glued_to_the_old_beginning()
    {
        int calls = 0;
        byte[] older = FakeHub.Bytes(300_000, seed: 2);
        _hub.OnStorage = r => ++calls == 1
            ? new WebAnswer(200, older, ("ETag", "\"old\"")) { BreakAt = 100_000 }
            : _hub.Store(r);   // whose ETag is another: it answers with all of the file
        Assert.Equal(_model, File.ReadAllBytes(_hub.Pull().Path));
    }

    [Fact]
    public void A_damaged_beginning_from_before_is_thrown_away_once()
    {
        _hub.Cache.TryLock()!.Dispose();
        File.WriteAllBytes(Path.Combine(_hub.Folder, "partial", "sha256-" + FakeHub.Sha256(_model)), new byte[200_000]);
        Assert.Equal(_model, File.ReadAllBytes(_hub.Pull().Path));
        Assert.Contains(_hub.Said, line => line.Contains("damaged; starting over", StringComparison.Ordinal));
    }

    [Fact]
    public void A_busy_hub_is_asked_again_after_the_time_it_names_and_a_broken_one_after_longer_and_longer()
    {
        int calls = 0;
        _hub.OnHub = r => ++calls switch
        {
            1 => WebAnswer.Text(429, "slow", ("Retry-After", "7")),
            <= 4 => WebAnswer.Text(503, "down"),
            _ => null,
        };
        _hub.Pull();
        Assert.Equal([7, 2, 4, 8], _hub.Waits.Select(w => (int)w.TotalSeconds));
    }

    [Fact]
    public void After_five_tries_or_a_wait_that_is_too_long_it_ends()
    {
        _hub.OnHub = _ => WebAnswer.Text(503, "down");
        Refused("answered 503; tried 5 times");
        Assert.Equal(5, _hub.Hub.Requests.Count);
        _hub.OnHub = _ => WebAnswer.Text(429, "slow", ("Retry-After", "3600"));
        Refused("asks to come back in 3600 s");
    }

    [Theory]
    [InlineData(401, "", "does not exist, or is closed to the account of HF_TOKEN")]
    [InlineData(403, "GatedRepo", "is gated: accept its terms at http://")]
    [InlineData(401, "GatedRepo", "is gated: accept its terms at http://")]
    [InlineData(404, "RepoNotFound", "me/it is not on 127.0.0.1")]
    [InlineData(418, "", "answered 418")]
    public void A_refusal_says_what_it_means(int status, string code, string message)
    {
        _hub.OnHub = _ => WebAnswer.Text(status, "no", ("X-Error-Code", code));
        Refused(message);
        Assert.Single(_hub.Hub.Requests);
    }

    [Fact]
    public void Without_a_token_it_says_that_one_may_be_needed()
    {
        _hub.OnHub = _ => WebAnswer.Text(401, "no");
        Refused("is private and needs HF_TOKEN", _hub.Options with { Token = null });
        Assert.Null(Assert.Single(_hub.Hub.Requests).Header("Authorization"));
    }

    [Fact]
    public void Nobody_there_is_an_error_that_names_the_host()
    {
        _hub.Hub.Dispose();
        Refused("127.0.0.1 cannot be reached");
    }

    [Fact]
    public void Offline_only_what_is_there_is_found()
    {
        HubOptions offline = _hub.Options with { Offline = true };
        Refused("me/it is not in the cache, and offline mode is on", offline);
        Assert.Empty(_hub.Hub.Requests);
        CachedModel model = _hub.Pull();
        int before = _hub.Hub.Requests.Count;
        Assert.Equal(model, _hub.Pull(options: offline));
        Assert.Equal(before, _hub.Hub.Requests.Count);
    }

    [Fact]
    public void A_full_disk_is_seen_before_anything_is_downloaded()
    {
        Refused("are still to come", _hub.Options with { FreeSpace = _ => (64 << 20) + 299_999 });
        Assert.Empty(_hub.Storage.Requests);
        _hub.Pull(options: _hub.Options with { FreeSpace = _ => (64 << 20) + 300_000 });
        _hub.Pull(options: _hub.Options with { FreeSpace = _ => 0 });   // all there already
    }

    [Fact]
    public async Task Two_pulls_at_once_download_once_and_both_have_it()
    {
        CachedModel[] models = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => _hub.PullAsync())));
        Assert.All(models, m => Assert.Equal(models[0].Path, m.Path));
        Assert.Single(_hub.Storage.Requests);
        Assert.Equal(_model, File.ReadAllBytes(models[0].Path));
    }

    [Fact]
    public void A_repository_that_changed_is_pulled_anew_and_frees_what_it_had()
    {
        CachedModel old = _hub.Pull();
        _hub.Files["it-Q4_0.gguf"] = FakeHub.Bytes(1000, seed: 3);
        CachedModel model = _hub.Pull();
        Assert.Equal(1000, model.Size);
        Assert.Equal(model, Assert.Single(_hub.Cache.List()));
        Assert.False(File.Exists(old.Path));
        Assert.Single(Directory.GetFiles(Path.Combine(_hub.Folder, "blobs")));
    }

    [Fact]
    public void A_split_file_comes_with_all_its_parts_and_an_incomplete_one_is_not_offered()
    {
        _hub.Files.Clear();
        for (int part = 1; part <= 3; part++)
        {
            _hub.Files[string.Create(CultureInfo.InvariantCulture, $"Q8_0/it-Q8_0-{part:D5}-of-00003.gguf")] = FakeHub.Bytes(1000, part);
            if (part < 3)
                _hub.Files[string.Create(CultureInfo.InvariantCulture, $"it-Q4_0-{part:D5}-of-00003.gguf")] = FakeHub.Bytes(100, 10 + part);
        }

        CachedModel model = _hub.Pull();
        Assert.Equal(("me/it:Q8_0", 3000L, 3), (model.Name, model.Size, model.Files));
        Assert.Equal("it-Q8_0-00001-of-00003.gguf", Path.GetFileName(model.Path));
        Assert.Equal(3, Directory.GetFiles(Path.GetDirectoryName(model.Path)!).Length);
        Refused("me/it has no Q4_0; it has Q8_0", name: "me/it:Q4_0");
    }

    [Fact]
    public void Without_GGUF_the_Hugging_Face_folder_is_taken_whole_and_with_it_on_demand()
    {
        string[] wanted = ["config.json", "tokenizer.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
            "model.safetensors.index.json", "1_Pooling/config.json", "LICENSE"];
        foreach (string name in wanted.Concat(["pytorch_model.bin", "consolidated.safetensors", "onnx/model.onnx", "run.py"]))
            _hub.Files[name] = FakeHub.Bytes(name.EndsWith(".json", StringComparison.Ordinal) ? 50 : 500, name.Length);
        CachedModel model = _hub.Pull("me/it:safetensors");
        Assert.Equal("me/it:safetensors", model.Name);
        string[] found = [.. Directory.GetFiles(model.Path, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(model.Path, f))];
        Assert.Equal(wanted.Order(StringComparer.Ordinal), found.Select(f => f.Replace('\\', '/')).Order(StringComparer.Ordinal));
        Assert.Equal("Q4_0", _hub.Pull().Quant);

        _hub.Files.Remove("it-Q4_0.gguf");
        Assert.Equal(model.Path, _hub.Pull().Path);
    }

    private void Refused(string message, HubOptions? options = null, string name = FakeHub.Repository)
    {
        HubException e = Assert.Throws<HubException>(() => _hub.Pull(name, options));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(FakeHub.Token, e.ToString(), StringComparison.Ordinal);
    }
}
