using System.Diagnostics;
using Polymath.Hub;
using Xunit;

namespace Polymath.Tests.Hub;

public sealed class PullKillTests
{
    private const int Rounds = 20;

    [Fact]
    public void Twenty_kills_during_a_pull_leave_nothing_half_written_that_looks_like_a_model()
    {
        using var hub = new FakeHub();
        for (int part = 1; part <= 2; part++)
            hub.Files[$"it-Q4_0-0000{part}-of-00002.gguf"] = FakeHub.Bytes(200_000, part);
        hub.OnStorage = r => hub.Store(r) with { Pace = () => Task.Delay(1) };
        var random = new Random(5);
        int cut = 0, whole = 0;
        for (int round = 0; round < Rounds; round++)
        {
            PullAndKill(hub, random.Next(150));
            if (hub.Cache.Find(ModelName.Parse(FakeHub.Repository)) is not { } model)
            {
                cut++;
                continue;
            }

            whole++;
            Check(hub, model);
            hub.Cache.Remove(ModelName.Parse(FakeHub.Repository));
        }

        Assert.True(cut >= 3 && hub.Storage.Requests.Any(r => r.From > 0), $"{cut} cut off, {whole} whole: the rounds show nothing");
        Check(hub, hub.Pull());
        Assert.Equal((0, 0L), hub.Cache.Unfinished());
        Assert.Single(Directory.GetFileSystemEntries(Path.Combine(hub.Folder, "models", "me", "it")));
        Assert.Empty(Directory.GetFiles(hub.Folder, ".*", SearchOption.AllDirectories));
    }

    private static void Check(FakeHub hub, CachedModel model)
    {
        foreach ((string name, byte[] bytes) in hub.Files)
            Assert.Equal(bytes, File.ReadAllBytes(Path.Combine(Path.GetDirectoryName(model.Path)!, name)));
    }

    /// <summary>Starts a pull and kills it some time after its first request to the storage.</summary>
    private static void PullAndKill(FakeHub hub, int milliseconds)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "Polymath.Cli.exe" : "Polymath.Cli"))
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            ArgumentList = { "pull", FakeHub.Repository },
            Environment = { ["HF_ENDPOINT"] = hub.Hub.Address.ToString(), ["POLYMATH_MODELS"] = hub.Folder, ["HF_HUB_OFFLINE"] = "" },
        };
        int before = hub.Storage.Requests.Count;
        using Process child = Process.Start(start)!;
        while (hub.Storage.Requests.Count == before && !child.HasExited)
            Thread.Sleep(2);
        Thread.Sleep(milliseconds);
        child.Kill();
        child.WaitForExit();
    }
}
