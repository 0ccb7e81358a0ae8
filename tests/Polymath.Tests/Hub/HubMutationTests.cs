using System.Text;
using Polymath.Files;
using Polymath.Hub;
using Polymath.Tests.Files;
using Xunit;

namespace Polymath.Tests.Hub;

/// <summary>Damaged lists of files and damaged manifests: a clear error, or values that are safe to use.</summary>
public sealed class HubMutationTests
{
    private const int Seed = 12, Rounds = 5_000;

    private static readonly byte[][] Fragments = [.. ((string[])[
        "0", "-1", "1e400", "1.5", "9223372036854775807", "9223372036854775808", "1125899906842625", "null", "true", "[]", "{}", "[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]",
        "\"\"", "\"..\"", "\"../a.gguf\"", "\"/a.gguf\"", "\"a/../../b\"", "\"C:/a\"", "\"a\\u0000b\"", "\"\\ud800\"", "\"con\"", "\"file\"", "\"directory\"",
        "\"a-Q4_0.gguf\"", ",\"lfs\":{}", ",\"path\":\"b\"", ":", "}", "]", "\"",
    ]).Select(Encoding.UTF8.GetBytes)];

    [Fact]
    public void Mutated_lists_are_refused_clearly_or_name_files_that_may_be_stored() => Listings(LoadListing).Check(Rounds);

    [Fact]
    public void Mutated_manifests_are_refused_clearly_or_stay_in_their_folder() => Manifests(LoadManifest).Check(Rounds);

    [Theory]
    [InlineData("no valid JSON")]
    [InlineData("there twice")]
    public void A_list_reader_without_one_of_the_checks_is_found_out(string check) =>
        Assert.Contains("planted", Listings(Without(LoadListing, check)).FirstBad(Rounds) ?? "nothing found");

    [Theory]
    [InlineData("damaged")]
    [InlineData("another version")]
    public void A_manifest_reader_without_one_of_the_checks_is_found_out(string check) =>
        Assert.Contains("planted", Manifests(Without(LoadManifest, check)).FirstBad(Rounds) ?? "nothing found");

    [Fact]
    public void A_list_reader_that_takes_any_name_is_found_out() => Assert.Contains("planted", Listings(bytes =>
    {
        LoadListing(bytes);
        var listing = new HubListing("me/it");
        listing.Add(bytes);
        if (listing.Refused > 0)
            throw new InvalidOperationException("planted");
    }).FirstBad(Rounds) ?? "nothing found");

    private static HostileRun Listings(Action<byte[]> load)
    {
        string[] entries =
        [
            """{"type":"directory","path":"sub","oid":"0123456789012345678901234567890123456789","size":0}""",
            FakeHub.Entry("README.md", FakeHub.Bytes(20)), FakeHub.Entry("it-Q4_0.gguf", FakeHub.Bytes(5_000)),
            FakeHub.Entry("sub/it-Q8_0-00001-of-00002.gguf", FakeHub.Bytes(9_000)),
        ];
        return Run("list of files", $"[{string.Join(',', entries)}]", load);
    }

    private static HostileRun Manifests(Action<byte[]> load)
    {
        using var folder = new TemporaryFolder();
        var manifest = new Manifest("me/it", "Q4_0", "Q4_0@0123456789abcdef", FakeHub.Commit, DateTimeOffset.UnixEpoch,
        [
            new("it-Q4_0.gguf", 17, new string('a', 64)), new("sub/other.json", 0, new string('0', 64)),
        ]);
        manifest.Write(folder["manifest.json"]);
        return Run("manifest", File.ReadAllText(folder["manifest.json"]), load);
    }

    private static HostileRun Run(string name, string json, Action<byte[]> load) =>
        new(name, Seed, [new Specimen(name, Encoding.UTF8.GetBytes(json))], bytes =>
        {
            try
            {
                load(bytes);
            }
            catch (HubException e)
            {
                throw new ModelFormatException(e.Message);   // what a run counts as a clear error
            }
        })
        {
            Fragments = Fragments,
        };

    private static void LoadListing(byte[] json)
    {
        var listing = new HubListing("me/it");
        listing.Add(json);
        foreach (HubFile file in listing.Files)
            Stays(file.Path, file.Size);
    }

    private static void LoadManifest(byte[] json)
    {
        Manifest manifest = Manifest.Parse("manifest.json", json);
        Stays(manifest.Folder, 0);
        Stays($"{manifest.Repository}/{manifest.Quant}.json", 0);
        foreach (Manifest.Entry file in manifest.Files)
            Stays(file.Path, file.Size);
    }

    /// <summary>Judged by what the system makes of the path, not by the rules under test.</summary>
    private static void Stays(string path, long size)
    {
        string folder = Path.Combine(Path.GetTempPath(), "folder") + Path.DirectorySeparatorChar;
        string full = Path.GetFullPath(Path.Combine(folder, path));
        if (size < 0 || path.Length == 0 || path.Any(char.IsControl) || full.Length <= folder.Length || !full.StartsWith(folder, StringComparison.Ordinal))
            throw new InvalidOperationException($"{path} of {size} bytes is not in its folder");
    }

    private static Action<byte[]> Without(Action<byte[]> load, string check) => input =>
    {
        try
        {
            load(input);
        }
        catch (HubException e) when (e.Message.Contains(check, StringComparison.Ordinal))
        {
            throw new InvalidOperationException("planted");
        }
    };
}
