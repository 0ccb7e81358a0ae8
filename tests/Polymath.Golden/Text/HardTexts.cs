using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Polymath.Golden.Text;

/// <summary>Texts that are hard to cut into tokens, the same as those of tools/reference/hard-texts.mjs.</summary>
internal static class HardTexts
{
    private const int Group = 100;

    /// <summary>The first texts are the parts themselves; the others are put together from parts and random characters.</summary>
    public static string[] Make(int count, uint seed = 20261124)
    {
        using JsonDocument parts = JsonDocument.Parse(File.ReadAllBytes(
            Path.Combine(Shared.ProjectRoot, "tests", "Polymath.Golden", "Data", "text-parts.json")));
        string[] fragments = parts.RootElement.GetProperty("fragments").Deserialize<string[]>()!;
        int[][] ranges = parts.RootElement.GetProperty("ranges").Deserialize<int[][]>()!;
        int Random(int below)
        {
            seed = (seed * 1664525) + 1013904223;
            return (int)(((ulong)seed * (uint)below) >> 32);
        }

        List<string> texts = [.. fragments.Take(count)];
        while (texts.Count < count)
        {
            int kind = Random(8);
            var text = new StringBuilder();
            for (int left = 2 + Random(24); left > 0; left--)
            {
                if (kind == 0 || (kind < 4 && Random(3) == 0))
                {
                    int[] range = ranges[Random(ranges.Length)];
                    text.Append(char.ConvertFromUtf32(range[0] + Random(range[1] - range[0] + 1)));
                }
                else
                {
                    string fragment = fragments[Random(fragments.Length)];
                    text.Insert(text.Length, fragment, kind == 7 ? 1 + Random(6) : 1);
                }
            }

            texts.Add(text.ToString());
        }

        return [.. texts];
    }

    /// <summary>One hash for every hundred lists of ids, and the texts they are of, for messages.</summary>
    public static string[] Hashes(IReadOnlyList<int[]> lists)
    {
        var hashes = new List<string>();
        for (int start = 0; start < lists.Count; start += Group)
        {
            var lines = new StringBuilder();
            foreach (int[] ids in lists.Skip(start).Take(Group))
                lines.AppendJoin(' ', ids.Select(id => id.ToString(CultureInfo.InvariantCulture))).Append('\n');
            hashes.Add(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(lines.ToString())))[..16]);
        }

        return [.. hashes];
    }
}
