using Polymath.Hub;
using Xunit;

namespace Polymath.Tests.Hub;

public sealed class ModelCacheTests : IDisposable
{
    private readonly FakeHub _hub = new();

    public ModelCacheTests()
    {
        _hub.Files["it-Q4_0.gguf"] = FakeHub.Bytes(1000, 1);
        _hub.Files["it-Q8_0.gguf"] = FakeHub.Bytes(2000, 2);
        _hub.Files["same-F16.gguf"] = _hub.Files["it-Q8_0.gguf"];
    }

    public void Dispose() => _hub.Dispose();

    [Fact]
    public void Removing_a_model_keeps_what_another_one_shares()
    {
        CachedModel small = _hub.Pull("me/it:Q4_0"), large = _hub.Pull("me/it:Q8_0"), same = _hub.Pull("me/it:F16");
        Assert.Equal(["Q4_0", "Q8_0", "F16"], _hub.Cache.List().Select(m => m.Quant));
        Assert.Equal([large], _hub.Cache.Remove(ModelName.Parse("Me/It:q8_0")));
        Assert.Equal(_hub.Files["same-F16.gguf"], File.ReadAllBytes(same.Path));
        Assert.Equal([small, same], _hub.Cache.Remove(ModelName.Parse("me/it")));
        Assert.Equal(["lock"], Directory.GetFiles(_hub.Folder, "*", SearchOption.AllDirectories).Select(Path.GetFileName));
        Assert.Empty(_hub.Cache.Remove(ModelName.Parse("me/it")));
    }

    [Fact]
    public void A_name_without_a_quant_is_the_preferred_one_that_is_there()
    {
        _hub.Pull("me/it:Q8_0");
        Assert.Equal("Q8_0", _hub.Cache.Find(ModelName.Parse("me/it"))?.Quant);
        _hub.Pull("me/it:Q4_0");
        Assert.Equal("Q4_0", _hub.Cache.Find(ModelName.Parse("me/it"))?.Quant);
        Assert.Null(_hub.Cache.Find(ModelName.Parse("me/it:F16")));
    }

    [Theory]
    [InlineData("\"path\": \"it-Q4_0.gguf\"", "\"path\": \"../../it-Q4_0.gguf\"")]
    [InlineData("\"path\": \"it-Q4_0.gguf\"", "\"path\": \"other.gguf\"")]
    [InlineData("\"size\": 1000", "\"size\": 1001")]
    [InlineData("\"size\": 1000", "\"size\": -1000")]
    [InlineData("\"folder\": \"Q4_0@", "\"folder\": \"../Q4_0@")]
    [InlineData("\"repository\": \"me/it\"", "\"repository\": \"me/../../it\"")]
    [InlineData("\"repository\": \"me/it\"", "\"repository\": \"you/it\"")]
    [InlineData("\"version\": 1", "\"version\": 2")]
    [InlineData("}", "")]
    public void A_manifest_that_was_tampered_with_is_no_model_and_a_pull_repairs_it(string from, string to)
    {
        CachedModel model = _hub.Pull("me/it:Q4_0");
        string path = Path.Combine(_hub.Folder, "manifests", "me", "it", "Q4_0.json"), text = File.ReadAllText(path);
        Assert.Contains(from, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(from, to, StringComparison.Ordinal));
        Assert.Empty(_hub.Cache.List());
        Assert.Equal(model.Path, _hub.Pull("me/it:Q4_0").Path);
        Assert.Single(_hub.Cache.List());
    }

    [Fact]
    public void A_model_with_a_file_lost_is_none_and_comes_back_without_a_download()
    {
        CachedModel model = _hub.Pull("me/it:Q4_0");
        File.Delete(model.Path);
        Assert.Empty(_hub.Cache.List());
        Assert.Equal(model.Path, _hub.Pull("me/it:Q4_0").Path);
        Assert.Single(_hub.Storage.Requests);
    }

    [Fact]
    public void Nothing_is_removed_while_a_download_is_under_way()
    {
        _hub.Pull("me/it:Q4_0");
        using (_hub.Cache.TryLock())
        {
            Assert.Contains("under way", Assert.Throws<HubException>(() => _hub.Cache.Remove(ModelName.Parse("me/it"))).Message, StringComparison.Ordinal);
            Assert.Throws<HubException>(_hub.Cache.RemoveUnfinished);
        }

        Assert.Single(_hub.Cache.Remove(ModelName.Parse("me/it")));
    }

    [Fact]
    public void What_belongs_to_no_model_is_counted_and_can_be_removed()
    {
        CachedModel model = _hub.Pull("me/it:Q4_0");
        File.WriteAllBytes(Path.Combine(_hub.Folder, "blobs", "sha256-" + new string('0', 64)), new byte[10]);
        File.WriteAllBytes(Path.Combine(_hub.Folder, "partial", "sha256-" + new string('1', 64)), new byte[20]);
        Directory.CreateDirectory(Path.Combine(_hub.Folder, "models", "me", "it", "Q4_0@000000000000.tmp"));
        Assert.Equal((2, 30L), _hub.Cache.Unfinished());
        _hub.Cache.RemoveUnfinished();
        Assert.Equal((0, 0L), _hub.Cache.Unfinished());
        Assert.Equal([model], _hub.Cache.List());
        Assert.Equal([Path.GetDirectoryName(model.Path)], Directory.GetDirectories(Path.Combine(_hub.Folder, "models", "me", "it")));
    }

    [Theory]
    [InlineData("POLYMATH_MODELS=/a;POLYMATH_HOME=/b", "/a")]
    [InlineData("POLYMATH_HOME=/b;XDG_CACHE_HOME=/c", "/b/models")]
    [InlineData("XDG_CACHE_HOME=/c", "/c/polymath/models")]
    public void The_environment_says_where_models_are_kept(string environment, string folder)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "paths of Linux");
        var variables = environment.Split(';').Select(v => v.Split('=')).ToDictionary(v => v[0], v => v[1]);
        Assert.Equal(folder, HubOptions.FromEnvironment(variables.GetValueOrDefault).Folder);
    }
}
